public import Formats

/// What an agent answers at once to an action that takes long, and to `get_task` while it runs (reference/agent.md 8).
public struct AgentTaskReply: Sendable, Hashable {
  public let taskID: String

  public init(taskID: String) { self.taskID = taskID }

  public var value: Value { ["agent_task_id": .string(taskID), "state": "running"] }

  /// Nil when the value is a result and not a running task.
  public init?(_ value: Value) {
    guard value["state"]?.string == "running", let id = value["agent_task_id"]?.string else { return nil }
    taskID = id
  }
}
