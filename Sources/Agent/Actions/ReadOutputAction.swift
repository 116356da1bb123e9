import AgentProtocol
import Formats
import Processes
import Surroundings

/// Answers with what a task's script has printed since, as soon as there is something (design D13). An extension.
struct ReadOutputAction: AgentAction {
  let tasks: AgentTasks
  let runner: ScriptRunner
  let surroundings: Surroundings
  let method = AgentMethod.readOutput
  let traits = ActionTraits(isLoggable: false)

  /// Between looks for a script that has not begun: the first, and the longest.
  private static let pauses: (first: Duration, last: Duration) = (.milliseconds(25), .milliseconds(100))
  /// Between looks for the end of a script that prints more than is kept.
  private static let lookingForEnd: Duration = .milliseconds(100)
  /// What is printed in quick succession goes in one answer.
  private static let gathering: Duration = .milliseconds(10)

  func run(_ call: TaskCall) async throws -> Value {
    let request = try call.reading { try ReadOutputRequest(call.arguments[0]) }
    try await tasks.check(request.taskID)
    let deadline = surroundings.elapsed() + .milliseconds(request.waitMilliseconds)
    var pause = Self.pauses.first
    while true {
      // Asked first: what was printed before the task was over is there when it is over.
      let isOver = await tasks.isOver(request.taskID)
      var reply = try read(request, isOver: isOver)
      if request.wantsResult, reply.ended { await addResult(&reply, request.taskID) }
      let hasNews = reply.stdoutOffset > request.stdoutOffset || reply.stderrOffset > request.stderrOffset
      if hasNews || isOver || surroundings.elapsed() >= deadline { return reply.value }
      try await waitForNews(request, pause, atMost: deadline - surroundings.elapsed())
      pause = min(pause * 2, Self.pauses.last)
      if await !tasks.isOver(request.taskID) { try await surroundings.sleep(Self.gathering) }
    }
  }

  /// Adds what `get_task` would answer, so that it need not be asked for, if there is room.
  private func addResult(_ reply: inout ReadOutputReply, _ task: String) async {
    var whole = reply
    whole.result = await GetTaskAction(tasks: tasks, surroundings: surroundings).answer(task)
    if AgentResponse.fits(whole.value) { reply = whole }
  }

  /// Returns when something was printed, the task is over, or the time is.
  private func waitForNews(_ request: ReadOutputRequest, _ pause: Duration, atMost limit: Duration) async throws {
    let script = try TaskScripts.find(request.taskID, runner)
    let hasEnded = try script?.exitIfEnded() != nil
    // Of a stream that has reached its limit nothing more is told before the end.
    func isHeldBack(_ stream: OutputStream) -> Bool {
      script?.isHeldBack(stream, at: stream == .stdout ? request.stdoutOffset : request.stderrOffset) ?? false
    }
    if !hasEnded, isHeldBack(.stdout) || isHeldBack(.stderr) {
      return try await surroundings.sleep(min(limit, Self.lookingForEnd))
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { await tasks.wait(request.taskID) }
      group.addTask { try await surroundings.sleep(limit) }
      if let script, !hasEnded {
        group.addTask {
          try await script.waitForNews(stdout: request.stdoutOffset, stderr: request.stderrOffset)
        }
      } else {
        group.addTask { try await surroundings.sleep(pause) }
      }
      try await group.next()
      group.cancelAll()
    }
  }

  private func read(_ request: ReadOutputRequest, isOver: Bool) throws -> ReadOutputReply {
    guard let script = try TaskScripts.find(request.taskID, runner) else {
      return ReadOutputReply(
        stdout: "", stderr: "", stdoutOffset: request.stdoutOffset, stderrOffset: request.stderrOffset, stdoutSize: 0,
        stderrSize: 0, ended: isOver)
    }
    // Standard error is mostly short, so it goes first, with half of the room at most while both have something.
    let hasOutput = script.outputSize(.stdout) > request.stdoutOffset
    let err = try script.piece(
      .stderr, from: request.stderrOffset, maximum: hasOutput ? request.maximumBytes / 2 : request.maximumBytes)
    let out = try script.piece(
      .stdout, from: request.stdoutOffset, maximum: request.maximumBytes - err.bytes.count)
    let outOffset = out.bytes.isEmpty ? request.stdoutOffset : out.start + out.bytes.count
    let errOffset = err.bytes.isEmpty ? request.stderrOffset : err.start + err.bytes.count
    var reply = ReadOutputReply(
      stdout: Base64.encode(out.bytes), stderr: Base64.encode(err.bytes), stdoutOffset: outOffset,
      stderrOffset: errOffset, stdoutSize: max(out.size, outOffset), stderrSize: max(err.size, errOffset),
      ended: isOver && outOffset >= out.size && errOffset >= err.size)
    if out.start > request.stdoutOffset { reply.stdoutStart = out.start }
    if err.start > request.stderrOffset { reply.stderrStart = err.start }
    return reply
  }
}
