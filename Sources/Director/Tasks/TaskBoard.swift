public import Documents
public import Logging
public import Surroundings

/// All tasks of a server: makes them, runs them, takes unfinished ones up again after a restart (design D7).
public actor TaskBoard {
  /// The work of a type of task. Returns the task's short result.
  public typealias Work = @Sendable (TaskContext) async throws -> String?

  let store: any DocumentStore
  let records: DocumentCollection<TaskRecord>
  let checkpoints: TaskCheckpoints
  let journals: any Journals
  let surroundings: Surroundings
  let logger: Logger
  let locks: LockQueue
  var works: [String: Work] = [:]
  var running: [Int: Running] = [:]
  var history: TaskHistory
  /// Tasks that were ended when they were recorded and not begun with yet.
  var endedEarly: Set<Int> = []
  var isStopped = false
  /// The last task that was started after a check.
  var lastChecked: Task<Int, any Error>?

  struct Running {
    /// The task that waits for it.
    let waitingParent: Int?
    let cancellation: Cancellation
    let task: Task<Void, Never>
    /// Set when the task is over, also for those who begin to wait then.
    let end: EndSignal
  }

  /// - Parameter kept: how many tasks of a type and user that have ended are kept.
  public init(
    store: any DocumentStore, journals: any Journals, surroundings: Surroundings, logger: Logger, kept: Int = 500
  ) {
    history = TaskHistory(limit: kept)
    self.store = store
    self.journals = journals
    self.surroundings = surroundings
    self.logger = logger
    locks = LockQueue(surroundings: surroundings)
    records = DocumentCollection(store, kind: "task", sealing: [SealedField("request", \.request)])
    checkpoints = TaskCheckpoints(store: store, surroundings: surroundings, logger: logger)
  }

  /// Says how tasks of a type are done. All types are registered before ``resume()`` or ``start(_:)``.
  public func register(_ type: String, _ work: @escaping Work) { works[type] = work }

  /// Removes the checkpoints of tasks that have ended: a server that was killed right after it had recorded an end has left
  /// them, and they may hold secrets.
  private func forgetCheckpoints(but unfinished: Set<Int>) async {
    do {
      try await checkpoints.forget(but: unfinished)
    } catch {
      logger.warning("checkpoints of tasks that have ended cannot be removed", metadata: ["error": "\(error)"])
    }
  }

  /// Takes up the tasks that were not finished when the server stopped, those that had begun first.
  public func resume() async throws {
    let all = try await records.list().map(\.body)
    var unfinished = all.filter { !$0.state.isFinal }
    forgetLater(history.restore(all))
    // Whoever ended a task meant those too that it waits for.
    let ended = Set(unfinished.filter { $0.state == .cancelling }.map(\.id))
    for index in unfinished.indices where unfinished[index].isAwaited == true {
      guard let parent = unfinished[index].parent, ended.contains(parent) else { continue }
      unfinished[index].state = .cancelling
      try await records.update(TaskRecord.documentName(unfinished[index].id)) { $0.state = .cancelling }
    }
    await forgetCheckpoints(but: Set(unfinished.map(\.id)))
    let begun = unfinished.filter { $0.startedAt != nil }.sorted { $0.id < $1.id }
    let queued = unfinished.filter { $0.startedAt == nil }.sorted { $0.id < $1.id }
    // Those that had begun have their locks again before anybody else, and the others their places in the queue. A child's
    // id is higher than its parent's, so that the parent's claim is there before.
    await locks.restore(
      held: begun.compactMap { $0.claim($0.locks) }, additions: begun.compactMap { $0.claim($0.awaitedLocks) },
      queued: queued.compactMap { $0.claim($0.locks) })
    for record in begun + queued {
      logger.info("taking up an unfinished task", metadata: ["task": "\(record.id)", "type": "\(record.type)"])
      launch(record, isResumed: true)
    }
  }

  /// Stops the work of all tasks without ending the tasks: the next server takes them up again.
  public func stop() async {
    isStopped = true
    let tasks = running.values.map(\.task)
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
  }

  // MARK: Ending

  /// Asks a task to end.
  ///
  /// - Throws: when it has ended already.
  public func cancel(_ id: Int) async throws {
    let record = try await task(id)
    guard !record.state.isFinal else {
      throw DirectorFailure(10001, "Cannot cancel task \(id): invalid state (\(record.state.rawValue))")
    }
    let now = try await records.update(TaskRecord.documentName(id)) { if !$0.state.isFinal { $0.state = .cancelling } }
    if let cancellation = running[id]?.cancellation {
      cancellation.request()
    } else if !now.body.state.isFinal {
      endedEarly.insert(id)
    }
    await locks.abandon(id)
  }

  // MARK: Checkpoints

  func known<Result: Codable & Sendable>(
    task id: Int, _ name: String, as type: Result.Type
  ) async throws -> Result? {
    try await checkpoints.known(id, name, as: type)
  }

  func once<Result: Codable & Sendable>(
    task id: Int, _ name: String, _ compute: @Sendable () async throws -> Result
  ) async throws -> Result {
    try await checkpoints.once(id, name, compute)
  }
}
