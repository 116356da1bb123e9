import AgentProtocol
import Formats
import Surroundings

/// Tells how a task is doing: still running, its value, or its failure as an exception (reference/agent.md 8). Who asks
/// for it is answered when the task is over, or some time has passed.
struct GetTaskAction: AgentAction {
  let tasks: AgentTasks
  let surroundings: Surroundings
  let method = AgentMethod.getTask
  let traits = ActionTraits(isImmediate: true)

  func run(_ call: TaskCall) async throws -> Value {
    let id = try call.string(0, "task id")
    let wait = call.waitMilliseconds
    if wait > 0, await !tasks.isOver(id) { await tasks.wait(id, atMost: .milliseconds(wait), surroundings) }
    switch try await tasks.outcome(id) {
    case nil: return AgentTaskReply(taskID: id).value
    case .value(let value): return value
    case .failure(let reason): throw DroverError(.failed, AgentTexts.taskFailed(id, reason))
    }
  }

  /// What is answered to who asks now.
  func answer(_ id: String) async -> AgentResponse {
    do {
      return .value(try await run(TaskCall(arguments: [.string(id)], protocolVersion: AgentLimits.protocolVersion)))
    } catch {
      return .exception(message: AgentTexts.actionFailed(method.rawValue, "\(error)"))
    }
  }
}
