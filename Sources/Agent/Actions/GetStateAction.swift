import AgentProtocol
import Formats

/// The applied spec and what runs; with "full" also how the machine is doing (reference/agent.md 9, 11). The first agents
/// called it `state`.
struct GetStateAction: AgentAction {
  let specs: SpecStore
  let settings: SettingsStore
  let supervisor: any JobSupervisor
  let vitals: VitalsReader
  var method = AgentMethod.getState
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    let document = await settings.current.document
    var state = AgentState(
      spec: try await specs.current(), agentID: document.agentID, jobState: await supervisor.jobState(),
      vmName: document.vmName, processes: await supervisor.processes())
    let detail = call.optional(0) == nil ? "" : try call.string(0, "detail")
    if detail == "full" { state.vitals = try await vitals.read() }
    return state.value
  }
}
