/// What carries messages between the server and its agents: subjects, at most once, in order per publisher.
///
/// `NATSConnection` is the real one, `MemoryBus` the one inside a process for tests and simulations. Subjects and
/// wildcards are those of NATS: tokens joined by ".", `*` for one token, `>` for the rest.
public protocol MessageBus: Sendable {
  /// Hands a message over for delivery. Returning means that it was accepted, not that somebody got it.
  /// - Parameter reply: the subject for answers, in the protocol's own field (BOSH puts it in the payload instead).
  /// - Throws: `DroverError`: `invalid` (subject), `tooLarge` (payload, or the buffer while reconnecting is full),
  ///   `unavailable` (closed).
  func publish(_ subject: String, _ payload: [UInt8], reply: String?) async throws

  /// Begins to receive what is published on a subject, which may hold wildcards.
  /// - Parameter queue: among the subscriptions with the same queue name, each message goes to one only.
  /// - Throws: `DroverError`: `invalid` (subject or queue), `unavailable` (closed).
  func subscribe(_ subject: String, queue: String?) async throws -> MessageSubscription

  /// Returns when the bus itself has everything that was published before.
  /// - Throws: `DroverError` (`unavailable`) if the connection is lost or closed meanwhile.
  func flush() async throws

  /// Runs what answers messages close to where they are read, without a change of thread between. It must not block.
  func nearby<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result

  /// Runs something, soon, once what was published before is on its way. It must not block.
  func afterwards(_ body: @escaping @Sendable () -> Void)
}

extension MessageBus {
  /// Nothing to wait for, where publishing is delivering.
  public func flush() async throws {}

  public func nearby<Result: Sendable>(_ body: @Sendable () async throws -> Result) async throws -> Result {
    try await body()
  }

  /// At once, where publishing is delivering.
  public func afterwards(_ body: @escaping @Sendable () -> Void) { body() }

  public func publish(_ subject: String, _ payload: [UInt8]) async throws {
    try await publish(subject, payload, reply: nil)
  }

  public func subscribe(_ subject: String) async throws -> MessageSubscription {
    try await subscribe(subject, queue: nil)
  }
}

/// A message as a subscriber gets it.
public struct BusMessage: Sendable, Hashable {
  public var subject: String
  public var payload: [UInt8]
  /// Where the publisher wants answers, if it said so in the protocol's own field.
  public var reply: String?
  /// The status of a message that the bus itself made: 503 says that nobody listens on a request's subject.
  public var status: Int?
  /// Fields that came with the message, in their order.
  public var headers: [Header]

  /// A field beside the payload.
  public struct Header: Sendable, Hashable {
    public var name: String
    public var value: String

    public init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  public init(
    subject: String, payload: [UInt8], reply: String? = nil, status: Int? = nil, headers: [Header] = []
  ) {
    self.subject = subject
    self.payload = payload
    self.reply = reply
    self.status = status
    self.headers = headers
  }

  /// What it counts for in a buffer, in bytes.
  var cost: Int { payload.count + subject.utf8.count + (reply?.utf8.count ?? 0) + 64 }
}
