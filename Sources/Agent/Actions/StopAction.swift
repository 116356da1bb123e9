import AgentProtocol
import Formats

/// Stops every service; from protocol 3 on, waits until they are gone (reference/agent.md 14).
struct StopAction: AgentAction {
  let supervisor: any JobSupervisor
  let health: HealthFile
  let method = AgentMethod.stop
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    try await supervisor.stop(waits: call.protocolVersion > 2)
    try await health.write(supervisor.jobState())
    return "stopped"
  }
}
