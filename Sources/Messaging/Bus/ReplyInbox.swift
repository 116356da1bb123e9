import Formats
public import Surroundings

/// Waits for replies on subjects that the caller picks, all under one subscription: thousands may be awaited at once.
///
/// The director's way (`reference/director.md C.8`): it subscribes `director.<uuid>.>` once, puts a subject below it as
/// `reply_to` into each request, and the reply comes on that subject.
public actor ReplyInbox {
  /// Subscribes to the pattern, for instance `director.<uuid>.>`.
  public init(bus: any MessageBus, pattern: String, surroundings: Surroundings = .system) async throws {
    self.bus = bus
    self.surroundings = surroundings
    subscription = try await bus.subscribe(pattern)
  }

  private let bus: any MessageBus
  private let surroundings: Surroundings
  private let subscription: MessageSubscription

  /// Publishes and waits for the first message on `reply`.
  /// - Parameter inHeader: also gives the subject in the protocol's own field; otherwise the payload has to say it.
  /// - Throws: `DroverError`: `timeout`, `unavailable` (the bus is lost, or says that nobody listens), `conflict`
  ///   (somebody waits on that subject already), what `publish` throws; `CancellationError`.
  public func request(
    _ subject: String, _ payload: [UInt8], reply: String, timeout: Duration, inHeader: Bool = false
  ) async throws -> [UInt8] {
    throw DroverError(.unsupported, "not here yet")
  }

  /// Ends the subscription; whoever waits gets `unavailable`.
  public func close() {}
}
