import Formats
public import Logging
public import Surroundings

/// A connection to a NATS cluster that comes back by itself.
public actor NATSConnection: MessageBus {
  public init(_ configuration: NATSConfiguration, surroundings: Surroundings = .system, logger: Logger) throws {
    throw DroverError(.unsupported, "connecting to NATS: not here yet")
  }

  /// Begins to connect, and goes on for ever. Returns at once: messages are kept meanwhile.
  public func start() {}

  /// Waits until the connection stands; throws what the last attempt met if that takes longer than the limit.
  public func waitUntilConnected(_ limit: Duration? = nil) async throws {}

  /// Everything that happens to the connection from now on; each call gives a stream of its own.
  public nonisolated func events() -> AsyncStream<NATSEvent> { AsyncStream { $0.finish() } }

  public func publish(_ subject: String, _ payload: [UInt8], reply: String?) async throws {}

  public func subscribe(_ subject: String, queue: String?) async throws -> MessageSubscription {
    throw DroverError(.unsupported, "subscribing to \(subject): not here yet")
  }

  /// Waits until the server has taken everything that was published before, and answered.
  public func flush() async throws {}

  /// Unsubscribes everything, lets readers finish what has arrived, sends what is buffered, then closes.
  public func drain() async {}

  /// Closes now; subscriptions end.
  public func close() async {}
}
