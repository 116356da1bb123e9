import AgentProtocol
import Formats

/// Tells how a task is doing: still running, its value, or its failure as an exception (reference/agent.md 8).
struct GetTaskAction: AgentAction {
  let tasks: AgentTasks
  let method = AgentMethod.getTask
  let traits = ActionTraits(isImmediate: true)

  func run(_ call: TaskCall) async throws -> Value {
    let id = try call.string(0, "task id")
    switch try await tasks.outcome(id) {
    case nil: return AgentTaskReply(taskID: id).value
    case .value(let value): return value
    case .failure(let reason): throw DroverError(.failed, AgentTexts.taskFailed(id, reason))
    }
  }
}
