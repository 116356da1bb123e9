import AgentProtocol
import Formats
import Glibc
import Processes

/// Turns the machine off (reference/agent.md 11). In a container, whose init is no systemd, init is asked to end.
struct ShutdownAction: AgentAction {
  /// How the machine is turned off; tests put something harmless here.
  let turnOff: @Sendable () async throws -> Void
  let method = AgentMethod.shutdown
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    try await turnOff()
    return ""
  }

  static let nothing: @Sendable () async throws -> Void = {}

  static let machine: @Sendable () async throws -> Void = {
    do {
      try await Command("shutdown", "-P", "0").run()
    } catch {
      guard kill(1, SIGTERM) == 0 else { throw DroverError.system(errno, "asking init to end") }
    }
  }
}
