import Formats
public import Surroundings

/// A line of a task's event output (reference/director.md A.2): one JSON object, ending in a newline.
///
/// The stock CLI matches the lines of one step by stage, tags and task, and panics on a line that is not JSON, so only
/// whole lines are ever appended to the journal.
public enum TaskEvent {
  /// How far a step is.
  public enum State: String, Sendable { case started, inProgress = "in_progress", finished, failed }

  /// The step that a line is about.
  public struct Step: Sendable, Hashable {
    public var stage: String
    public var tags: [String]
    public var total: Int
    public var task: String
    /// From 1.
    public var index: Int

    public init(stage: String, tags: [String] = [], total: Int, task: String, index: Int) {
      self.stage = stage
      self.tags = tags
      self.total = total
      self.task = task
      self.index = index
    }
  }

  /// A step's progress.
  ///
  /// - Parameter detail: the error of a failed step, or the status text of one in progress.
  public static func progress(_ step: Step, _ state: State, detail: String? = nil, at time: Timestamp) -> [UInt8] {
    var data = ValueObject()
    if let detail {
      switch state {
      case .failed: data["error"] = .string(detail)
      case .inProgress: data["status"] = .string(detail)
      case .started, .finished: break
      }
    }
    return line([
      "time": .int(time.seconds), "stage": .string(step.stage), "tags": Value(step.tags), "total": .int(step.total),
      "task": .string(step.task), "index": .int(step.index), "state": .string(state.rawValue),
      "progress": .int(state == .started ? 0 : state == .inProgress ? 50 : 100), "data": .object(data),
    ])
  }

  /// A warning that is not about a step.
  public static func warning(_ message: String, at time: Timestamp) -> [UInt8] {
    line(["time": .int(time.seconds), "type": "warning", "message": .string(message)])
  }

  /// The last line of a task that failed.
  public static func failure(code: Int, _ message: String, at time: Timestamp) -> [UInt8] {
    line(["time": .int(time.seconds), "error": ["code": .int(code), "message": .string(message)]])
  }

  private static func line(_ object: Value) -> [UInt8] { JSON.bytes(object) + [UInt8(ascii: "\n")] }
}
