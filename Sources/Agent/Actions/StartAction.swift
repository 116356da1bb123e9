import AgentProtocol
import Formats

/// Puts the jobs' control files in place and starts every service (reference/agent.md 11, 14).
struct StartAction: AgentAction {
  let specs: SpecStore
  let supervisor: any JobSupervisor
  let controlFiles: ControlFiles
  let health: HealthFile
  let board: DrainBoard
  let method = AgentMethod.start
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    let jobs = try await specs.current().job.lifecycleNames
    let files = try controlFiles.configure(jobs)
    var mistake: (any Error)?
    do {
      try await supervisor.reload()
    } catch {
      // The jobs whose control files are well run all the same.
      mistake = files.blame(error)
    }
    try await supervisor.start()
    await board.started(jobs)
    try await health.write(supervisor.jobState())
    if let mistake { throw mistake }
    return "started"
  }
}
