public import Formats

/// The arguments of `get_task`: the task, and, which is an extension of ours that other agents ignore, how long the answer
/// may wait for the task's end.
public struct GetTaskRequest: Sendable, Hashable {
  public var taskID: String
  public var waitMilliseconds: Int

  public init(taskID: String, waitMilliseconds: Int = 0) {
    self.taskID = taskID
    self.waitMilliseconds = waitMilliseconds
  }

  public var arguments: [Value] {
    waitMilliseconds == 0 ? [.string(taskID)] : [.string(taskID), ["wait_ms": .int(waitMilliseconds)]]
  }

  /// What the arguments say of the wait: 0 for those of directors that do not know of it, and never more than is bearable.
  public static func waitMilliseconds(_ arguments: [Value]) -> Int {
    guard arguments.count > 1, let wait = arguments[1]["wait_ms"]?.int else { return 0 }
    return min(max(wait, 0), AgentLimits.maximumReadWaitMilliseconds)
  }
}
