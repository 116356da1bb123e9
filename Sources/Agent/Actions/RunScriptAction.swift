import AgentProtocol
import Formats
import Supervision

/// Runs one lifecycle script of every job that has it (reference/agent.md 12).
struct RunScriptAction: AgentAction {
  let specs: SpecStore
  let scripts: LifecycleScripts
  let method = AgentMethod.runScript
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    let name = try SafeName.component(call.string(0, "script name"), "script name")
    let options = try call.reading { try call.optional(1).map(ScriptOptions.init) } ?? ScriptOptions()
    try await scripts.run(
      name, jobs: specs.current().job.lifecycleNames, environment: options.environment, task: call.taskID)
    return [:]
  }
}
