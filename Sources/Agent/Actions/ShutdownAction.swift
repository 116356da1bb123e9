import AgentProtocol
import Formats
import Glibc
import Logging
import Processes

/// Turns the machine off (reference/agent.md 11), after jobs were drained and stopped within a limit. In a container, whose
/// init is no systemd, init is asked to end. Nobody waits for the answer of a machine that goes, so it comes first.
struct ShutdownAction: AgentAction {
  static let limit = Duration.seconds(60)

  let stop: MachineStop
  /// How the machine is turned off; tests put something harmless here.
  let turnOff: @Sendable () async throws -> Void
  let logger: Logger
  let method = AgentMethod.shutdown
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    Task {
      await stop.run(within: Self.limit)
      do { try await turnOff() } catch {
        logger.error("turning the machine off failed", metadata: ["error": "\(error)"])
      }
    }
    return ""
  }

  static let nothing: @Sendable () async throws -> Void = {}

  static let machine: @Sendable () async throws -> Void = {
    do {
      try await Command("shutdown", "-P", "0").run()
    } catch {
      guard kill(1, SIGTERM) == 0 else { throw systemError("asking init to end") }
    }
  }
}
