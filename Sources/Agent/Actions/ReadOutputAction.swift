import AgentProtocol
import Formats
import Processes
import Surroundings

/// Answers with what a task's script has printed since, as soon as there is something (design D13). An extension.
struct ReadOutputAction: AgentAction {
  let tasks: AgentTasks
  let runner: ScriptRunner
  let collector: LogCollector
  let surroundings: Surroundings
  let method = AgentMethod.readOutput
  let traits = ActionTraits(isLoggable: false)

  /// Between looks for the end of a script that prints more than is kept.
  private static let lookingForEnd: Duration = .milliseconds(100)
  /// Between looks for the end of a task whose script prints nothing: its runner may have been killed.
  private static let lookingForTask: Duration = .seconds(1)
  /// What is printed in quick succession goes in one answer.
  private static let gathering: Duration = .milliseconds(10)
  /// Bytes, less than may be answered by more than what an answer adds that tells of the task as well.
  private static let longestReply = AgentLimits.maximumReplyBytes - 1024

  func run(_ call: TaskCall) async throws -> Value {
    try await reply(to: try call.reading { try ReadOutputRequest(call.arguments[0]) }).value
  }

  func reply(to request: ReadOutputRequest) async throws -> ReadOutputReply {
    try await tasks.check(request.taskID)
    let deadline = surroundings.elapsed() + .milliseconds(request.waitMilliseconds)
    while true {
      // Asked first: what was printed before the task was over is there when it is over.
      let isOver = await tasks.isOver(request.taskID)
      var reply = try read(request, isOver: isOver)
      if request.wantsResult, reply.ended { await addResult(&reply, request) }
      let hasNews = reply.stdoutOffset > request.stdoutOffset || reply.stderrOffset > request.stderrOffset
      if hasNews || isOver || surroundings.elapsed() >= deadline { return reply }
      let mayHavePrinted = try await waitForNews(request, atMost: deadline - surroundings.elapsed())
      if mayHavePrinted, await !tasks.isOver(request.taskID) {
        try await surroundings.sleep(Self.gathering)
      }
    }
  }

  /// Adds what `get_task` would answer, and the logs, so that they need not be asked for, if there is room.
  private func addResult(_ reply: inout ReadOutputReply, _ request: ReadOutputRequest) async {
    var whole = reply
    whole.result = await GetTaskAction(tasks: tasks, surroundings: surroundings).answer(request.taskID)
    guard AgentResponse.fits(whole.value, limit: Self.longestReply) else { return }
    reply = whole
    // What cannot be had is asked for again, and then its failure is told.
    guard let logs = request.logs, let result = try? await collector.collectShort(logs) else { return }
    whole.logs = result
    if AgentResponse.fits(whole.value, limit: Self.longestReply) { reply = whole }
  }

  /// Returns when something was printed, the script has begun or ended, the task is over, or the time is.
  ///
  /// - Returns: whether something may have been printed.
  private func waitForNews(_ request: ReadOutputRequest, atMost limit: Duration) async throws -> Bool {
    guard let script = try TaskScripts.find(request.taskID, runner) else {
      await wait(request.taskID, atMost: limit, orFor: { await TaskScripts.waitUntilStarted(request.taskID, runner) })
      return false
    }
    guard try script.exitIfEnded() == nil else {
      await tasks.wait(request.taskID, atMost: limit, surroundings)
      return false
    }
    // Of a stream that has reached its limit nothing more is told before the end.
    func isHeldBack(_ stream: OutputStream, _ offset: Int) -> Bool { script.isHeldBack(stream, at: offset) }
    if isHeldBack(.stdout, request.stdoutOffset) || isHeldBack(.stderr, request.stderrOffset) {
      try await surroundings.sleep(min(limit, Self.lookingForEnd))
    } else {
      try await script.waitForNews(
        stdout: request.stdoutOffset, stderr: request.stderrOffset, atMost: min(limit, Self.lookingForTask))
    }
    return true
  }

  /// Waits for the end of a task, or for something else, for so long.
  private func wait(
    _ task: String, atMost limit: Duration, orFor event: @escaping @Sendable () async -> Void
  ) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await tasks.wait(task) }
      group.addTask { try? await surroundings.sleep(limit) }
      group.addTask { await event() }
      await group.next()
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
