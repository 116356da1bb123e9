import Formats
public import Logging
import NIOCore
import NIOPosix
public import Surroundings

/// A connection to a NATS cluster that comes back by itself.
///
/// Its executor is its event loop: what arrives is handled where it is read, without a hop. What to do is decided by
/// `NATSSession`; this type only does it. After use it must be closed by `close()` or `drain()`.
///
/// What is published while connected and on its way when the connection is lost may be lost with it (at most once, as
/// NATS has it); what is published without a connection is kept, up to a limit. `flush()` tells that the server has it.
public actor NATSConnection: MessageBus {
  nonisolated let eventLoop: any EventLoop
  let configuration: NATSConfiguration
  let surroundings: Surroundings
  let logger: Logger
  let tls: NATSTLSContext?

  var session: NATSSession
  var parser = NATSParser()
  var channel: (any Channel)?
  var handler: NIOLoopBound<NATSChannelHandler>?
  /// Counts the attempts to connect.
  var attempt = 0
  nonisolated let outbox = NATSOutbox()
  private var pending = FIFO<NATSSession.Event>()
  private var isHandling = false

  var nextID = 0
  var receivers: [Int: NATSReceiver] = [:]
  var flushes: [Int: CheckedContinuation<Void, any Error>] = [:]
  private var writers: [CheckedContinuation<Void, Never>] = []
  var timers: [NATSSession.Timer: Task<Void, Never>] = [:]
  let listeners = NATSEventListeners()
  var lastFailure: DroverError?

  public nonisolated var unownedExecutor: UnownedSerialExecutor { eventLoop.executor.asUnownedSerialExecutor() }

  /// Prepares a connection; `start()` begins it.
  /// - Throws: `DroverError` (`invalid`) for URLs, certificates or keys that can't be used.
  public init(_ configuration: NATSConfiguration, surroundings: Surroundings = .system, logger: Logger) throws {
    session = try NATSSession(configuration)
    tls = try configuration.tls.map { try NATSTLSContext($0) }
    self.configuration = configuration
    self.surroundings = surroundings
    self.logger = logger
    eventLoop = MultiThreadedEventLoopGroup.singleton.next()
  }

  /// Begins to connect, and goes on for ever. Returns at once: messages are kept meanwhile.
  public func start() { handle(.start) }

  /// Waits until the connection stands.
  /// - Throws: `DroverError`: `timeout` after the limit, with what the last attempt met as its cause, `unavailable` if
  ///   the connection is closed; `CancellationError`.
  public func waitUntilConnected(_ limit: Duration? = nil) async throws {
    let events = events()
    if session.phase == .connected { return }
    if session.phase == .closed { throw NATSSession.closedError("waiting") }
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        for await event in events {
          if case .connected = event { return true }
          if case .closed = event { throw NATSSession.closedError("waiting") }
        }
        throw CancellationError()
      }
      if let limit {
        group.addTask { [surroundings] in
          try await surroundings.sleep(limit)
          return false
        }
      }
      defer { group.cancelAll() }
      guard try await group.next() == true else {
        let servers = session.pool.servers.map(\.description).joined(separator: ", ")
        throw DroverError(
          .timeout, "connecting to NATS at \(servers): not done after \(limit ?? .zero)", cause: lastFailure)
      }
    }
  }

  /// Everything that happens to the connection from now on; each call gives a stream of its own, which keeps the
  /// last 256 events that were not read.
  public nonisolated func events() -> AsyncStream<NATSEvent> { listeners.stream() }

  public nonisolated func publish(_ subject: String, _ payload: [UInt8], reply: String?) async throws {
    try await publish(subject, payload, reply: reply, headers: [])
  }

  /// As `publish` of the bus, with fields beside the payload.
  public nonisolated func publish(
    _ subject: String, _ payload: [UInt8], reply: String? = nil, headers: [BusMessage.Header]
  ) async throws {
    try Subject.check(publish: subject)
    if let reply { try Subject.check(publish: reply) }
    let block = headers.isEmpty ? [] : try NATSHeaders(fields: headers).bytes()
    switch outbox.offer(subject, reply: reply, headers: block, payload: payload) {
    case .taken: return
    case .takenFirst: eventLoop.execute { self.assumeIsolated { $0.flushOutgoing() } }
    case .refused: try await publishInTurn(subject, reply: reply, headers: block, payload: payload)
    }
  }

  /// Waits for room, or finds out why there is none.
  private func publishInTurn(_ subject: String, reply: String?, headers: [UInt8], payload: [UInt8]) async throws {
    while let channel, session.phase == .connected, !channel.isWritable {
      await withCheckedContinuation { writers.append($0) }
    }
    let action = try session.publish(subject, reply: reply, headers: headers, payload: payload)
    if let action { perform(action) }
  }

  public func subscribe(_ subject: String, queue: String?) async throws -> MessageSubscription {
    try Subject.check(subscribe: subject)
    if let queue { try Subject.check(publish: queue) }
    if session.phase == .closed { throw NATSSession.closedError("subscribing to \(subject)") }
    nextID += 1
    let id = nextID
    let buffer = MessageBuffer(limit: configuration.subscriptionBufferBytes) { [weak self] in
      guard let self else { return }
      Task { await self.relieved(id) }
    }
    receivers[id] = NATSReceiver(subject: subject, buffer: buffer)
    handle(.subscribe(id: id, subject: subject, queue: queue))
    return MessageSubscription(subject: subject, buffer: buffer) { [weak self] in
      guard let self else { return }
      Task { await self.handle(.unsubscribe(id: id)) }
    }
  }

  /// Waits until the server has taken everything that was published before, and answered.
  /// - Throws: `DroverError` (`unavailable`) if the connection is lost or closed before the answer.
  public func flush() async throws {
    nextID += 1
    let id = nextID
    try await withCheckedThrowingContinuation { continuation in
      flushes[id] = continuation
      handle(.flush(id: id))
    }
  }

  public nonisolated func nearby<Result: Sendable>(
    _ body: @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withTaskExecutorPreference(EventLoopTaskExecutor(eventLoop)) { try await body() }
  }

  /// Behind the flush that publishing brought about.
  public nonisolated func afterwards(_ body: @escaping @Sendable () -> Void) { eventLoop.execute(body) }

  /// Unsubscribes everything, lets readers finish what has arrived, sends what is buffered, then closes; all that
  /// within the limit, after which it just closes.
  public func drain(_ limit: Duration = .seconds(5)) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.drainInOrder() }
      group.addTask { [surroundings] in try? await surroundings.sleep(limit) }
      await group.next()
      group.cancelAll()
      close()
    }
  }

  /// Closes now; subscriptions end after what has arrived.
  public func close() { handle(.close) }

  private func drainInOrder() async {
    guard session.phase == .connected else { return }
    let open = receivers.values.map(\.buffer)
    for id in receivers.keys.sorted() { write(NATSCommand.unsubscribe(id: id)) }
    // What the server sent before it took the UNSUBs arrives before the answer to this.
    try? await flush()
    for id in receivers.keys.sorted() { handle(.unsubscribe(id: id)) }
    while open.contains(where: { !$0.isEmpty }) {
      guard (try? await surroundings.sleep(.milliseconds(5))) != nil else { return }
    }
    try? await flush()
  }

  // MARK: - Doing what the session decides

  /// An event that comes while another is being handled waits for its turn.
  func handle(_ event: NATSSession.Event) {
    pending.append(event)
    guard !isHandling else { return }
    isHandling = true
    defer { isHandling = false }
    while let event = pending.popFirst() {
      for action in session.handle(event) { perform(action) }
    }
    openOrCloseOutbox()
  }

  private func perform(_ action: NATSSession.Action) {
    switch action {
    case .open(let server): open(server, on: eventLoop)
    case .secure(let server): secure(server)
    case .send(let bytes): write(bytes)
    case .shut: shut()
    case .deliver(let id, let message): deliver(message, to: id)
    case .end(let id, let error): end(id, error)
    case .flushed(let id, let error):
      let result = error.map { Result<Void, any Error>.failure($0) } ?? .success(())
      flushes.removeValue(forKey: id)?.resume(with: result)
    case .set(let timer, let pause): set(timer, pause)
    case .clear(let timer): timers.removeValue(forKey: timer)?.cancel()
    case .report(let event): report(event)
    }
  }

  private func set(_ timer: NATSSession.Timer, _ pause: Duration) {
    timers[timer]?.cancel()
    timers[timer] = Task { [surroundings] in
      guard (try? await surroundings.sleep(pause)) != nil, !Task.isCancelled else { return }
      // Nothing is heard while reading is held back, which says nothing about the server.
      if timer == .ping, isReadingPaused { set(.ping, pause) } else { handle(.fired(timer)) }
    }
  }

  func resumeWriters() {
    let waiting = writers
    writers = []
    for writer in waiting { writer.resume() }
  }
}
