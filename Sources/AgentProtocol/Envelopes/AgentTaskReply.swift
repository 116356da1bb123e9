public import Formats

/// What an agent answers at once to an action that takes long, and to `get_task` while it runs (reference/agent.md 8).
public struct AgentTaskReply: Sendable, Hashable {
  public let taskID: String
  /// What its script has printed, if that was asked for with the request that began it. An extension of ours.
  public let output: ReadOutputReply?

  public init(taskID: String, output: ReadOutputReply? = nil) {
    self.taskID = taskID
    self.output = output
  }

  public var value: Value {
    var object: ValueObject = ["agent_task_id": .string(taskID), "state": "running"]
    if let output { object["output"] = output.value }
    return .object(object)
  }

  /// Nil when the value is a result and not a running task.
  public init?(_ value: Value) {
    guard value["state"]?.string == "running", let id = value["agent_task_id"]?.string else { return nil }
    taskID = id
    output = value["output"].flatMap { try? ReadOutputReply($0) }
  }
}
