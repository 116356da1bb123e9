import Formats
import Glibc
import Logging
import Messaging
import Processes
import Surroundings
import Synchronization

/// The `drover-agent` program from its arguments to its exit code.
public enum AgentProgram {
  public static let version = "0.1.0"

  /// Runs the agent and ends the process. Not asynchronous, so that the program is free of threads until it is called.
  public static func main(_ arguments: [String]) -> Never {
    // A log that nobody reads any more must not end the agent.
    signal(SIGPIPE, SIG_IGN)
    ProgramStart.run { await run(arguments) }
  }

  /// - Returns: the exit code: 0 when settings changed and the agent is to be started again, 1 otherwise.
  public static func run(_ arguments: [String]) async -> Int32 {
    if arguments.first == "wait-drained" {
      return await WaitDrained.main(Array(arguments.dropFirst()), surroundings: .system)
    }
    var logger = Logger(label: "agent") { _ in AgentLogHandler(tag: "agent") }
    logger.logLevel = .debug
    do {
      let options = try AgentOptions(arguments)
      if options.showsHelp {
        print(AgentOptions.usage)
        return 0
      }
      if options.showsVersion {
        print(version)
        return 0
      }
      return try await run(options, logger)
    } catch {
      logger.error("the agent ends: \(error)")
      return 1
    }
  }

  private static func run(_ options: AgentOptions, _ logger: Logger) async throws -> Int32 {
    logger.info("starting", metadata: ["version": "\(version)", "platform": "\(options.platform)"])
    let termination = Termination()
    let leaving = Leaving()
    let signals = try SignalWatch([SIGTERM, SIGINT]) { number in
      logger.info("received signal \(number); leaving")
      leaving.leave(termination)
    }
    defer { signals.stop() }
    let start = AgentStart(options: options, termination: termination, surroundings: .system, logger: logger)
    guard let (agent, plan) = try await start.agent() else { return termination.code ?? 1 }
    leaving.set(agent)
    switch plan {
    case .nats(let urls, let tls):
      let connections = try BusConnections(
        urls: urls, tls: tls, agentID: agent.agentID,
        firewall: options.platform == "ubuntu" ? Firewall(logger: logger) : nil, surroundings: .system, logger: logger)
      return try await run(agent, connections, isDummy: options.platform == "dummy")
    case .https(let url, let tls):
      let endpoint = agent.endpoint(url, tls)
      return try await agent.run(bus: SilentBus(), outputBus: SilentBus()) { try await endpoint.run($0) }
    }
  }

  private static func run(_ agent: Agent, _ connections: BusConnections, isDummy: Bool) async throws -> Int32 {
    await connections.start()
    let neighbours = Task { if !isDummy { await connections.forgetNeighboursWhenLost() } }
    defer { neighbours.cancel() }
    let code = try await agent.run(bus: connections.control, outputBus: connections.output) {
      try await connections.control.waitUntilConnected()
    }
    await connections.close()
    return code
  }

  /// Who is told to leave: the agent, once there is one.
  private final class Leaving: Sendable {
    private let agent = Mutex<Agent?>(nil)

    func set(_ agent: Agent) { self.agent.withLock { $0 = agent } }

    func leave(_ termination: Termination) {
      guard let agent = agent.withLock({ $0 }) else { return termination.end(1) }
      Task { await agent.leave() }
    }
  }
}
