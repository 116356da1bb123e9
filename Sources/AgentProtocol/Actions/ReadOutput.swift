public import Formats

/// The argument of `read_output`, an action of ours: the next bytes that a task's script printed (D13).
public struct ReadOutputRequest: Sendable, Hashable {
  public var taskID: String
  public var stdoutOffset: Int
  public var stderrOffset: Int
  /// Of both streams together.
  public var maximumBytes: Int
  /// How long to wait for something new before answering with nothing.
  public var waitMilliseconds: Int
  /// Whether what `get_task` would answer comes with the last of the output.
  public var wantsResult: Bool
  /// The logs whose archive comes with that result, if it is no longer than they say.
  public var logs: LogRequest?

  public init(
    taskID: String, stdoutOffset: Int = 0, stderrOffset: Int = 0,
    maximumBytes: Int = AgentLimits.maximumReadBytes, waitMilliseconds: Int = 0, wantsResult: Bool = false,
    logs: LogRequest? = nil
  ) {
    self.taskID = taskID
    self.stdoutOffset = stdoutOffset
    self.stderrOffset = stderrOffset
    self.maximumBytes = maximumBytes
    self.waitMilliseconds = waitMilliseconds
    self.wantsResult = wantsResult
    self.logs = logs
  }

  /// - Parameter taskID: nil where the value names it.
  public init(_ value: Value, taskID: String? = nil) throws {
    let reader = try FieldReader(value, at: "read_output")
    func number(_ name: String, _ fallback: Int, _ maximum: Int) throws -> Int {
      let number = try reader.optionalInt(name) ?? fallback
      guard number >= 0 else { throw reader.error(name, "expected 0 or more, found \(number)") }
      return min(number, maximum)
    }
    self.init(
      taskID: try taskID ?? reader.string("agent_task_id"), stdoutOffset: try number("stdout_offset", 0, .max),
      stderrOffset: try number("stderr_offset", 0, .max),
      maximumBytes: try number("max_bytes", AgentLimits.maximumReadBytes, AgentLimits.maximumReadBytes),
      waitMilliseconds: try number("wait_ms", 0, AgentLimits.maximumWaitMilliseconds),
      wantsResult: try reader.optionalBool("result") ?? false,
      logs: try reader.value("logs").map { try LogRequest($0) })
  }

  public var value: Value {
    var object: ValueObject = [
      "agent_task_id": .string(taskID), "stdout_offset": .int(stdoutOffset), "stderr_offset": .int(stderrOffset),
      "max_bytes": .int(maximumBytes), "wait_ms": .int(waitMilliseconds), "result": .bool(wantsResult),
    ]
    if let logs { object["logs"] = logs.signedArgument }
    return .object(object)
  }
}

/// The value of `read_output`. The bytes are base64.
public struct ReadOutputReply: Sendable, Hashable {
  public var stdout: String
  public var stderr: String
  /// Where to read on.
  public var stdoutOffset: Int
  public var stderrOffset: Int
  /// How many bytes there are now.
  public var stdoutSize: Int
  public var stderrSize: Int
  /// The task is over and nothing will be added.
  public var ended: Bool
  /// Where the bytes begin, when those from the offset that was asked for up to there are left out.
  public var stdoutStart: Int?
  public var stderrStart: Int?
  /// What `get_task` would answer, if that was asked for, the task has ended and there is room for it.
  public var result: AgentResponse?
  /// The archive of logs, if it was asked for and there is room for it.
  public var logs: LogResult?

  public init(
    stdout: String, stderr: String, stdoutOffset: Int, stderrOffset: Int, stdoutSize: Int, stderrSize: Int,
    ended: Bool
  ) {
    self.stdout = stdout
    self.stderr = stderr
    self.stdoutOffset = stdoutOffset
    self.stderrOffset = stderrOffset
    self.stdoutSize = stdoutSize
    self.stderrSize = stderrSize
    self.ended = ended
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "read_output reply")
    self.init(
      stdout: try reader.optionalString("stdout") ?? "", stderr: try reader.optionalString("stderr") ?? "",
      stdoutOffset: try reader.int("stdout_offset"), stderrOffset: try reader.int("stderr_offset"),
      stdoutSize: try reader.int("stdout_size"), stderrSize: try reader.int("stderr_size"),
      ended: try reader.optionalBool("ended") ?? false)
    stdoutStart = try reader.optionalInt("stdout_start")
    stderrStart = try reader.optionalInt("stderr_start")
    result = try reader.value("result").map { try AgentResponse($0) }
    logs = try reader.value("logs").map { try LogResult($0) }
  }

  public var value: Value {
    var object: ValueObject = [
      "stdout": .string(stdout), "stderr": .string(stderr), "stdout_offset": .int(stdoutOffset),
      "stderr_offset": .int(stderrOffset), "stdout_size": .int(stdoutSize), "stderr_size": .int(stderrSize),
      "ended": .bool(ended),
    ]
    if let stdoutStart { object["stdout_start"] = .int(stdoutStart) }
    if let stderrStart { object["stderr_start"] = .int(stderrStart) }
    if let result { object["result"] = result.value }
    if let logs { object["logs"] = logs.value }
    return .object(object)
  }
}
