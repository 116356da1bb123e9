import AgentProtocol
import Formats

/// Stops every service; from protocol 3 on, waits until they are gone (reference/agent.md 14).
struct StopAction: AgentAction {
  let specs: SpecStore
  let supervisor: any JobSupervisor
  let health: HealthFile
  let board: DrainBoard
  let method = AgentMethod.stop
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    try await supervisor.stop(waits: call.protocolVersion > 2)
    if call.protocolVersion > 2 { await board.stopped(try await specs.current().job.lifecycleNames) }
    try await health.write(supervisor.jobState())
    return "stopped"
  }
}
