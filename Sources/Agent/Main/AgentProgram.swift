import Dispatch
import Formats
import Glibc
import Logging
import Messaging
import Processes
import Surroundings

/// The `drover-agent` program from its arguments to its exit code.
public enum AgentProgram {
  public static let version = "0.1.0"

  /// Runs the agent and ends the process. Not asynchronous, so that the program is free of threads until it is called.
  public static func main(_ arguments: [String]) -> Never {
    // A log that nobody reads any more must not end the agent.
    signal(SIGPIPE, SIG_IGN)
    Task.detached { exit(await run(arguments)) }
    dispatchMain()
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
    let agent = try await Agent(
      options, surroundings: .system, environment: Environment.current(),
      runnerCommand: ["/proc/self/exe", "runner"],
      systemRoot: options.platform == "dummy" ? "\(options.baseDirectory)/root" : "", logger: logger)
    let connections = try BusConnections(await agent.effectiveSettings, surroundings: .system, logger: logger)
    await connections.start()
    let signals = [SIGTERM, SIGINT].map { number in
      onSignal(number) {
        logger.info("received signal \(number); leaving")
        agent.termination.end(1)
      }
    }
    defer { for source in signals { source.cancel() } }
    let code = try await agent.run(bus: connections.control, outputBus: connections.output) {
      try await connections.control.waitUntilConnected()
    }
    await connections.close()
    return code
  }

  private static func onSignal(_ number: Int32, _ body: @escaping @Sendable () -> Void) -> any DispatchSourceSignal {
    signal(number, SIG_IGN)
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: body)
    source.resume()
    return source
  }
}
