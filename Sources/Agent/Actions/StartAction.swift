import AgentProtocol
import Formats

/// Puts the jobs' control files in place and starts every service (reference/agent.md 11, 14).
struct StartAction: AgentAction {
  let specs: SpecStore
  let supervisor: any JobSupervisor
  let controlFiles: ControlFiles
  let health: HealthFile
  let method = AgentMethod.start
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    try controlFiles.configure(await specs.current().job.templates.map(\.name))
    try await supervisor.reload()
    try await supervisor.start()
    try await health.write(supervisor.jobState())
    return "started"
  }
}
