import Formats
import NIOCore

/// What a client does about everything that can happen to it, as a value: an event goes in, actions come out.
///
///     idle ─start→ opening ─opened→ greeting ─INFO→ securing ─secured→ welcoming ─PONG→ connected
///                     ↑ ↑              │ without TLS ───────────────────↗                  │
///                     │ └── next server of the round ── lost, failed, timed out ←──────────┤
///                     └──── pausing ←── round is over ────────┘            closed ←─ close ─┘
struct NATSSession: Sendable {
  enum Phase: Sendable, Equatable { case idle, opening, greeting, securing, welcoming, connected, pausing, closed }

  enum Timer: Sendable, Hashable {
    /// One attempt has taken too long.
    case connect
    /// Time to ask whether the server is there.
    case ping
    /// The pause between two rounds is over.
    case reconnect
    /// A connection has lasted long enough to be called good.
    case settled
  }

  enum Event: Sendable {
    case start
    case opened
    case secured
    case received(NATSOperation)
    /// The attempt failed or the connection is gone.
    case lost(DroverError)
    case fired(Timer)
    case subscribe(id: Int, subject: String, queue: String?)
    case unsubscribe(id: Int)
    case flush(id: Int)
    case close
  }

  enum Action: Sendable {
    case open(NATSAddress)
    /// Begin TLS now; nothing may have been received after INFO.
    case secure(NATSAddress)
    case send(ByteBuffer)
    /// Forget the connection: no events of it may come any more.
    case shut
    case deliver(subscription: Int, BusMessage)
    case end(subscription: Int, DroverError?)
    case flushed(id: Int, DroverError?)
    case set(Timer, Duration)
    case clear(Timer)
    case report(NATSEvent)
  }

  struct Subscription: Sendable, Equatable {
    var subject: String
    var queue: String?
  }

  enum Question: Sendable, Equatable { case welcome, alive, flush(id: Int) }

  /// How long a connection must last to count as good: only then the pauses begin anew.
  static let settling: Duration = .seconds(2)

  let configuration: NATSConfiguration
  var phase = Phase.idle
  var pool: NATSServerPool
  var server: NATSAddress
  var info = NATSServerInfo()
  var subscriptions: [Int: Subscription] = [:]
  var backlog = ByteBuffer()
  var waitingFlushes: [Int] = []
  /// What the next PONGs answer.
  var questions = FIFO<Question>()
  var pingsOut = 0
  var round = 0
  var triedInRound = 0
  /// The connection has lasted for a while, so its loss says nothing against trying again at once.
  var isSettled = false
  /// What the server said before it hung up.
  var complaint: DroverError?

  init(_ configuration: NATSConfiguration) throws(DroverError) {
    var servers: [NATSAddress] = []
    for url in configuration.urls { servers.append(try NATSAddress(url)) }
    guard let first = servers.first else {
      throw DroverError(.invalid, "connecting to NATS: no URL is given")
    }
    if configuration.tls == nil, let server = servers.first(where: \.demandsTLS) {
      throw DroverError(.invalid, "connecting to NATS: \(server) demands TLS, but no authority is given to trust")
    }
    self.configuration = configuration
    pool = NATSServerPool(servers)
    server = first
  }

  mutating func handle(_ event: Event) -> [Action] {
    guard phase != .closed else { return refusals(event) }
    switch event {
    case .start: return phase == .idle ? openNext() : []
    case .opened:
      guard phase == .opening else { return [] }
      phase = .greeting
      return []
    case .secured: return phase == .securing ? welcome() : []
    case .received(let operation): return received(operation)
    case .lost(let reason): return lost(reason)
    case .fired(let timer): return fired(timer)
    case .subscribe(let id, let subject, let queue):
      subscriptions[id] = Subscription(subject: subject, queue: queue)
      return phase == .connected ? [.send(NATSCommand.subscribe(subject, queue: queue, id: id))] : []
    case .unsubscribe(let id):
      guard subscriptions.removeValue(forKey: id) != nil else { return [] }
      return [.end(subscription: id, nil)] + (phase == .connected ? [.send(NATSCommand.unsubscribe(id: id))] : [])
    case .flush(let id):
      guard phase == .connected else {
        waitingFlushes.append(id)
        return []
      }
      return [ask(.flush(id: id))]
    case .close: return close(nil)
    }
  }

  /// Takes a message for sending: at once if there is a connection, else it is kept for later.
  /// - Throws: `DroverError`: `tooLarge` if the server would not take it or too much is kept, `unavailable` if closed.
  mutating func publish(_ subject: String, reply: String?, headers: [UInt8], payload: [UInt8]) throws(DroverError)
    -> Action?
  {
    guard phase != .closed else { throw Self.closedError("publishing on \(subject)") }
    let size = headers.count + payload.count
    guard size <= info.maximumPayload else {
      throw DroverError(
        .tooLarge, "publishing \(size) bytes on \(subject): the NATS server takes at most \(info.maximumPayload) bytes")
    }
    var bytes = NATSCommand.publish(subject, reply: reply, headers: headers, payload: payload)
    if phase == .connected { return .send(bytes) }
    guard backlog.readableBytes + bytes.readableBytes <= configuration.reconnectBufferBytes else {
      throw DroverError(
        .tooLarge,
        "publishing on \(subject): there is no connection to NATS, and \(backlog.readableBytes) of "
          + "\(configuration.reconnectBufferBytes) bytes are waiting for it already; try again when it is back")
    }
    backlog.writeBuffer(&bytes)
    return nil
  }

  static func closedError(_ doing: String) -> DroverError {
    DroverError(.unavailable, "\(doing): the connection to NATS is closed")
  }

  /// After the end there are only answers to those who still ask.
  private func refusals(_ event: Event) -> [Action] {
    switch event {
    case .subscribe(let id, let subject, _):
      [.end(subscription: id, Self.closedError("subscribing to \(subject)"))]
    case .flush(let id): [.flushed(id: id, Self.closedError("flushing"))]
    default: []
    }
  }
}
