import AgentProtocol
import Formats

/// Asks one task to stop; it is over when `get_task` says so (reference/agent.md 8, trap 2 of 22).
struct CancelTaskAction: AgentAction {
  let tasks: AgentTasks
  let method = AgentMethod.cancelTask
  let traits = ActionTraits(isImmediate: true)

  func run(_ call: TaskCall) async throws -> Value {
    try await tasks.cancel(call.string(0, "task id"))
    return "canceled"
  }
}
