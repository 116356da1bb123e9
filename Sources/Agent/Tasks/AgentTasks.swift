import AgentProtocol
import Formats
import Logging
import Processes
import Surroundings

/// The tasks of this agent: what runs, what is over, and which request started what.
///
/// A task is written down before it starts and when it is over. After a restart of the agent, tasks that are not over
/// are begun again under the same id and in the same order; their scripts are attached, not run again (design D7).
actor AgentTasks {
  /// What a task does: its action, with everything bound.
  typealias Work = @Sendable (TaskCall) async throws -> Value

  private struct Entry {
    let requestID: String?
    let method: String
    let isCancellable: Bool
    var cancellation: TaskCancellation?
    /// Does the work; nil when it is over.
    var worker: Task<Void, Never>?
    /// Set when it is over.
    var endedAt: Timestamp?
    /// Kept until it is told, mostly a moment later, unless it is long.
    var outcome: TaskRecord.Outcome?
    /// Whether it could not be written down.
    var isOutcomeOnlyHere = false
    /// Bytes of output kept for it.
    var output = 0
    /// Whether somebody has been told the outcome.
    var isCollected = false
  }

  /// Bytes of a record whose outcome is kept in memory until it is told.
  private static let longestRemembered = 16 << 10

  private let files: TaskFiles
  private let runner: ScriptRunner
  private let surroundings: Surroundings
  private let retention: TaskRetention
  private let logger: Logger

  private var entries: [String: Entry] = [:]
  private var taskOfRequest: [String: String] = [:]
  private var sequence = 0
  /// The last of the state-changing tasks: the next one waits for it.
  private var tail: Task<Void, Never>?
  private var turns = TaskTurns()
  private let waiters = Waiters<String>()
  /// Tasks that have ended or were collected since the expired ones were last looked for.
  private var changesSince = 0

  init(
    files: TaskFiles, runner: ScriptRunner, surroundings: Surroundings, logger: Logger,
    retention: TaskRetention = TaskRetention()
  ) {
    self.files = files
    self.runner = runner
    self.surroundings = surroundings
    self.logger = logger
    self.retention = retention
  }

  /// Reads what an earlier life of the agent wrote down, and begins again what was not over.
  ///
  /// - Parameter action: the action of a method; an unfinished task whose method is not known fails.
  func resume(_ action: @Sendable (String) -> (any AgentAction)?) throws {
    let records = try files.load().sorted { $0.sequence < $1.sequence }
    sequence = records.last?.sequence ?? 0
    for record in records {
      if let requestID = record.requestID { taskOfRequest[requestID] = record.id }
      entries[record.id] = Entry(
        requestID: record.requestID, method: record.method,
        isCancellable: action(record.method)?.traits.isCancellable ?? false, cancellation: nil,
        endedAt: record.outcome == nil ? nil : record.endedAt ?? record.startedAt, isCollected: record.isCollected)
      if record.outcome != nil { entries[record.id]?.output = outputSize(record.id) }
    }
    try forgetExpired()
    // Runs of tasks that nobody knows any more.
    let known = Set(entries.keys)
    try removeRuns { run in !known.contains(String(run.prefix(36))) }
    for record in records where record.outcome == nil {
      guard let action = action(record.method) else {
        finish(record, .failure(AgentTexts.unknownMessage(record.method)))
        continue
      }
      logger.info("resuming a task", metadata: ["task": "\(record.id)", "method": "\(record.method)"])
      launch(record, action)
    }
  }

  /// Begins a task, or finds the one that this very request has begun before.
  ///
  /// - Returns: the task's id, and whether it was there already.
  func begin(_ request: AgentRequest, _ action: any AgentAction) throws -> (id: String, isRepeat: Bool) {
    if let requestID = request.requestID, let id = taskOfRequest[requestID] { return (id, true) }
    sequence += 1
    let record = TaskRecord(
      id: surroundings.identifier(), requestID: request.requestID, sequence: sequence, method: request.method,
      protocolVersion: request.protocolVersion, arguments: request.arguments, startedAt: surroundings.now())
    try files.save(record, isDurable: !action.traits.isReading)
    if let requestID = request.requestID { taskOfRequest[requestID] = record.id }
    entries[record.id] = Entry(
      requestID: request.requestID, method: request.method, isCancellable: action.traits.isCancellable)
    launch(record, action)
    return (record.id, false)
  }

  /// Whether there is such a task. Its outcome, which may be large, is not looked at, and does not count as told.
  ///
  /// - Throws: `notFound` with the text of agent.md 8.
  func check(_ id: String) throws {
    if entries[id] == nil { throw DroverError(.notFound, AgentTexts.taskNotFound(id)) }
  }

  /// The outcome of a task; nil while it runs.
  ///
  /// - Throws: `notFound` with the text of agent.md 8.
  func outcome(_ id: String) throws -> TaskRecord.Outcome? {
    try check(id)
    guard let entry = entries[id], entry.endedAt != nil else { return nil }
    let outcome = try entry.outcome ?? files.read(id).outcome
    if !entry.isCollected {
      entries[id]?.isCollected = true
      if !entry.isOutcomeOnlyHere { entries[id]?.outcome = nil }
      try? files.markCollected(id)
      tidyUp()
    }
    return outcome
  }

  /// Asks a task to stop. One that is over is left as it is.
  ///
  /// - Throws: `notFound`, or `unsupported` when its action cannot be stopped.
  func cancel(_ id: String) throws {
    guard let entry = entries[id] else { throw DroverError(.notFound, AgentTexts.taskNotFound(id)) }
    if entry.endedAt != nil { return }
    guard entry.isCancellable else { throw DroverError(.unsupported, "not supported") }
    // Written down first, so that a restarted agent asks the script again.
    var record = try files.read(id)
    record.isCancelled = true
    try files.save(record)
    entry.cancellation?.cancel()
    turns.hurry(entry.method, id)
  }

  /// Lets go of what has not ended, without waiting for it: the next life of the agent begins it again.
  ///
  /// Nothing else cancels the Swift task of an action, so one that is cancelled leaves all as it is for the next one.
  func letGo() {
    for entry in entries.values { entry.worker?.cancel() }
  }

  /// Returns when the task is over, or the Swift task is cancelled.
  func wait(_ id: String) async {
    await waiters.wait(id) { isOver(id) }
  }

  /// The same, or when the time has passed.
  nonisolated func wait(_ id: String, atMost limit: Duration, _ surroundings: Surroundings) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await self.wait(id) }
      group.addTask { try? await surroundings.sleep(limit) }
      await group.next()
      group.cancelAll()
    }
  }

  func isOver(_ id: String) -> Bool { entries[id].map { $0.endedAt != nil } ?? true }

  /// How many have not ended, for tests and logs.
  var runningCount: Int { entries.values.count { $0.endedAt == nil } }

  private func launch(_ record: TaskRecord, _ action: any AgentAction) {
    let cancellation = TaskCancellation()
    if record.isCancelled { cancellation.cancel() }
    entries[record.id]?.cancellation = cancellation
    let call = TaskCall(
      taskID: record.id, arguments: record.arguments, protocolVersion: record.protocolVersion,
      cancellation: cancellation)
    let isSerial = action.traits.order == .serial
    let before = isSerial ? tail : nil
    if !isSerial { turns.request(record.method, record.id) }
    let worker = Task {
      await before?.value
      if !isSerial { await withCheckedContinuation { turns.wait(record.id, $0) } }
      defer { self.turns.leave(record.method, record.id) }
      if Task.isCancelled { return }
      let outcome: TaskRecord.Outcome
      do {
        outcome = .value(try await action.perform(call))
      } catch {
        if Task.isCancelled { return }
        outcome = .failure("\(error)")
      }
      self.finish(record, outcome, isDurable: !action.traits.isReading)
    }
    entries[record.id]?.worker = worker
    if isSerial { tail = worker }
  }

  private func finish(_ record: TaskRecord, _ outcome: TaskRecord.Outcome, isDurable: Bool = true) {
    var record = record
    record.arguments = []
    record.outcome = outcome
    record.endedAt = surroundings.now()
    record.isCancelled = entries[record.id]?.cancellation?.isCancelled ?? false
    entries[record.id]?.endedAt = record.endedAt
    entries[record.id]?.output = outputSize(record.id)
    entries[record.id]?.cancellation = nil
    entries[record.id]?.worker = nil
    entries[record.id]?.outcome = outcome
    do {
      let size = try files.save(record, isDurable: isDurable)
      if size > Self.longestRemembered { entries[record.id]?.outcome = nil }
    } catch {
      // A full disk: the outcome is kept in memory, and after a restart the task is begun again and attached.
      entries[record.id]?.isOutcomeOnlyHere = true
      logger.error("cannot write a task down", metadata: ["task": "\(record.id)", "error": "\(error)"])
    }
    var metadata: Logger.Metadata = ["task": "\(record.id)", "method": "\(record.method)"]
    if case .failure(let text) = outcome {
      metadata["error"] = "\(AgentTexts.shortened(text, to: 4096))"
      logger.error("task failed", metadata: metadata)
    } else {
      logger.info("task done", metadata: metadata)
    }
    waiters.wake(record.id)
    tidyUp()
  }

  /// Forgets what has expired. Looking for it costs more the more there is, so it is done less often then.
  private func tidyUp() {
    changesSince += 1
    guard changesSince > entries.count / 16 else { return }
    changesSince = 0
    do { try forgetExpired() } catch {
      logger.warning("cannot remove old tasks", metadata: ["error": "\(error)"])
    }
  }

  private func forgetExpired() throws {
    let finished = entries.compactMap { id, entry in
      entry.endedAt.map {
        TaskRetention.Finished(id: id, endedAt: $0, output: entry.output, isCollected: entry.isCollected)
      }
    }
    let expired = Set(retention.expired(finished, now: surroundings.now()))
    if expired.isEmpty { return }
    for id in expired {
      try files.remove(id)
      if let requestID = entries[id]?.requestID { taskOfRequest[requestID] = nil }
      entries[id] = nil
    }
    files.keepCollected(entries.filter(\.value.isCollected).map(\.key))
    try removeRuns { expired.contains(String($0.prefix(36))) }
  }

  private func removeRuns(_ isUnwanted: (String) -> Bool) throws {
    let runs = try runner.list().filter(isUnwanted)
    if runs.isEmpty { return }
    Task { [runner] in for run in runs { try? await runner.remove(id: run) } }
  }

  /// Bytes of output that the runner keeps for a task.
  private func outputSize(_ id: String) -> Int {
    guard let script = try? TaskScripts.find(id, runner) else { return 0 }
    return script.outputSize(.stdout) + script.outputSize(.stderr)
  }
}
