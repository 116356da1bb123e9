import AgentProtocol
import Logging
import NIOCore
import NIOPosix
import Surroundings
import Synchronization

/// Takes the mails of a real monit on the loopback interface and raises them as alerts (reference/agent.md 15). Our own
/// supervisor needs no mails; a machine whose operators run a monit beside it, or in its place, loses none.
struct MailDoor: Sendable {
  static let port = 2825

  let agentID: String
  let settings: SettingsStore
  let publisher: HealthPublisher
  let port: Int
  let surroundings: Surroundings
  let logger: Logger
  /// Connections at once; further ones are sent away.
  var maximumConnections = 8
  /// How long one may take altogether.
  var timeLimit = Duration.seconds(60)
  /// Alerts in one minute; for further ones the mailer is told to come again.
  var alertsPerMinute = 120
  private let load = Load()

  private typealias Connection = NIOAsyncChannel<ByteBuffer, ByteBuffer>

  /// Takes mails until the task is cancelled. A port that is taken is said, and tried again.
  func run() async {
    var isSaid = false
    while !Task.isCancelled {
      do {
        try await serve()
      } catch is CancellationError {
        return
      } catch {
        if !isSaid {
          logger.warning(
            "cannot take alerts by mail; trying again every minute",
            metadata: ["port": "\(port)", "error": .string("\(error)")])
        }
        isSaid = true
      }
      guard (try? await surroundings.sleep(.seconds(60))) != nil else { return }
    }
  }

  private func serve() async throws {
    let server = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(ChannelOptions.socketOption(.so_reuseaddr), value: 1)
      .bind(host: "127.0.0.1", port: port) { channel in
        channel.eventLoop.makeCompletedFuture { try Connection(wrappingChannelSynchronously: channel) }
      }
    try await withThrowingDiscardingTaskGroup { group in
      try await server.executeThenClose { connections in
        for try await connection in connections {
          // What one client does is nobody else's matter.
          group.addTask { await answer(connection) }
        }
      }
    }
  }

  private func answer(_ connection: Connection) async {
    let mayEnter = load.enter(maximumConnections)
    defer { if mayEnter { load.leave() } }
    let channel = connection.channel
    let (limit, surroundings) = (timeLimit, surroundings)
    let timer = Task {
      if (try? await surroundings.sleep(limit)) != nil { channel.close(promise: nil) }
    }
    defer { timer.cancel() }
    try? await connection.executeThenClose { inbound, outbound in
      guard mayEnter else {
        return try await outbound.write(ByteBuffer(string: "421 too many connections\r\n"))
      }
      try await outbound.write(ByteBuffer(string: SMTPSession.greeting))
      var session = SMTPSession()
      for try await buffer in inbound {
        for output in session.receive(buffer.readableBytesView) {
          switch output {
          case .reply(let text): try await outbound.write(ByteBuffer(string: text))
          case .mail(let mail): try await outbound.write(ByteBuffer(string: await take(mail)))
          case .close: return
          }
        }
      }
    }
  }

  /// - Returns: what the mailer is answered.
  private func take(_ mail: MonitMail) async -> String {
    let addresses = await settings.current.document.networks.map(\.ip).filter { !$0.isEmpty }
    let now = surroundings.now()
    guard
      let alert = mail.alert(
        addresses: addresses, fallbackID: "\(surroundings.identifier())@\(agentID)", now: now)
    else {
      logger.debug("a mail that is no alert", metadata: ["event": "\(mail.event.prefix(200))"])
      return "250 ok\r\n"
    }
    guard load.mayRaise(at: surroundings.elapsed(), limit: alertsPerMinute) else {
      logger.warning("too many alerts by mail; the mailer is to come again")
      return "451 too many alerts, try again later\r\n"
    }
    await publisher.raise(alert)
    return "250 ok\r\n"
  }

  /// What is going on at the door.
  private final class Load: Sendable {
    private struct State {
      var connections = 0
      var raised: [Duration] = []
    }

    private let state = Mutex(State())

    func enter(_ limit: Int) -> Bool {
      state.withLock { state in
        guard state.connections < limit else { return false }
        state.connections += 1
        return true
      }
    }

    func leave() { state.withLock { $0.connections -= 1 } }

    func mayRaise(at time: Duration, limit: Int) -> Bool {
      state.withLock { state in
        state.raised.removeAll { $0 <= time - .seconds(60) }
        guard state.raised.count < limit else { return false }
        state.raised.append(time)
        return true
      }
    }
  }
}
