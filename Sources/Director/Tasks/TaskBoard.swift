public import Documents
import Formats
import FoundationEssentials
public import Logging
public import Surroundings

/// All tasks of a server: makes them, runs them, takes unfinished ones up again after a restart (design D7).
public actor TaskBoard {
  /// The work of a type of task. Returns the task's short result.
  public typealias Work = @Sendable (TaskContext) async throws -> String?

  private let store: any DocumentStore
  let records: DocumentCollection<TaskRecord>
  private let checkpoints: TaskCheckpoints
  private let journals: any Journals
  let surroundings: Surroundings
  private let logger: Logger
  let locks: LockQueue
  private var works: [String: Work] = [:]
  var running: [Int: Running] = [:]
  private var history: TaskHistory
  private var isStopped = false
  /// The last task that was started after a check.
  private var lastChecked: Task<Int, any Error>?

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

  /// What a new task is made of.
  public struct Order: Sendable {
    public var type: String
    public var description: String
    public var user: String
    public var deployment: String?
    public var contextID: String
    /// What it is asked to do, as JSON text.
    public var request: String
    /// The task that starts it, under whose locks it runs.
    public var parent: Int?
    /// Whether the parent waits for it.
    public var isAwaited: Bool?
    public var cause: TaskCause?

    public init(
      type: String, description: String, user: String, deployment: String? = nil, contextID: String = "",
      request: some Encodable
    ) throws {
      self.type = type
      self.description = description
      self.user = user
      self.deployment = deployment
      self.contextID = contextID
      let encoder = JSONEncoder()
      encoder.outputFormatting = .sortedKeys
      self.request = String(decoding: try encoder.encode(request), as: UTF8.self)
    }
  }

  /// Records a task and starts it. Once this returns, the task will be done even if the server is killed.
  public func start(_ order: Order) async throws -> Int {
    let id = try await reserveID()
    return try await start(order, id: id)
  }

  /// The id of a task that will be started with ``start(_:id:)``: for those whose request lies in a folder of that name.
  public func reserveID() async throws -> Int { Int(try await store.nextNumber("task")) }

  public func start(_ order: Order, id: Int) async throws -> Int {
    let record = record(order, id: id)
    try await records.create(TaskRecord.documentName(id), record)
    launch(record)
    return id
  }

  /// The same, unless a task with that id is on record: whoever recorded it has started it, or the server's start has.
  func startOnce(_ order: Order, id: Int) async throws {
    do {
      _ = try await start(order, id: id)
    } catch  where error.isDocumentExists {}
  }

  /// The same, with other writes in the one commit that records it: all of it is done, or nothing.
  func start(_ order: Order, id: Int, along writes: [Write]) async throws {
    let record = record(order, id: id)
    _ = try await store.commit([records.creating(TaskRecord.documentName(id), record)] + writes)
    launch(record)
  }

  private func record(_ order: Order, id: Int) -> TaskRecord {
    var record = TaskRecord(
      id: id, type: order.type, description: order.description, user: order.user, deployment: order.deployment,
      createdAt: surroundings.now().seconds, request: order.request)
    record.contextID = order.contextID
    record.parent = order.parent
    record.isAwaited = order.isAwaited
    record.cause = order.cause
    return record
  }

  /// Records and starts a task unless `check` throws; of several that are asked for at the same time, each is checked when
  /// the one before is recorded.
  func start(_ order: Order, unless check: @escaping @Sendable () async throws -> Void) async throws -> Int {
    let before = lastChecked
    let start = surroundings.task { () async throws -> Int in
      _ = await before?.result
      try await check()
      return try await self.start(order)
    }
    lastChecked = start
    return try await start.value
  }

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

  // MARK: Looking

  public func task(_ id: Int) async throws -> TaskRecord {
    guard let record = try await records.get(TaskRecord.documentName(id)) else {
      throw DirectorFailure.taskNotFound(String(id))
    }
    return record.body
  }

  /// The task; nil when there is none, or none any more.
  func find(_ id: Int) async throws -> TaskRecord? { try await records.get(TaskRecord.documentName(id))?.body }

  /// Removes a task that has ended, with all that it wrote.
  func forget(_ id: Int) async throws {
    guard let record = try await find(id), record.state.isFinal else { return }
    try await journals.remove("tasks/\(id)")
    try? await checkpoints.forget(id)
    try await records.delete(TaskRecord.documentName(id))
  }

  /// Tasks, newest first.
  ///
  /// - Parameter states: those in these states only; when none of them is an end, it does not matter how many tasks have
  ///   ended.
  public func tasks(
    in states: Set<TaskRecord.State>? = nil, limit: Int? = nil,
    where isWanted: @Sendable (TaskRecord) -> Bool = { _ in true }
  ) async throws -> [TaskRecord] {
    var found: [TaskRecord] = []
    if let states, states.allSatisfy({ !$0.isFinal }) {
      for id in running.keys { if let record = try await find(id) { found.append(record) } }
    } else {
      found = try await records.list().map(\.body)
    }
    let wanted = found.filter { states?.contains($0.state) ?? true && isWanted($0) }.sorted { $0.id > $1.id }
    return limit.map { Array(wanted.prefix($0)) } ?? wanted
  }

  /// Claims that are held now.
  public var heldLocks: [LockTable.Claim] { get async { await locks.held } }

  /// Waits until the task has ended, however it does.
  public func wait(for id: Int) async throws -> TaskRecord {
    await running[id]?.task.value
    return try await task(id)
  }

  /// Waits until a task has ended or is stopped, or the waiting task is cancelled.
  ///
  /// - Returns: whether there was anything to wait for, and it is over.
  func waitForEnd(of id: Int) async -> Bool {
    guard let end = running[id]?.end else { return false }
    await end.wait()
    return !isStopped && !Task.isCancelled
  }

  /// Whether nothing more will come of a task. Costs nothing while it runs.
  public func hasEnded(_ id: Int) async throws -> Bool {
    running[id] == nil ? try await task(id).state.isFinal : false
  }

  /// Waits until a journal of a task is longer than `size`, the task has ended, or the time is over.
  ///
  /// - Parameter pace: how long it waits at least, unless the task ends: what comes in bursts comes together.
  public func waitForOutput(
    of id: Int, _ kind: TaskOutput.Kind, beyond size: Int64, atMost limit: Duration, pace: Duration = .zero
  ) async {
    guard let end = running[id]?.end else { return }
    let (journals, surroundings) = (journals, surroundings)
    let begun = surroundings.elapsed()
    await withTaskGroup(of: Bool.self) { group in
      group.addTask {
        _ = try? await journals.wait(TaskOutput.journal(task: id, kind), beyond: size)
        return true
      }
      group.addTask {
        await end.wait()
        return false
      }
      group.addTask {
        try? await surroundings.sleep(limit)
        return false
      }
      let hasGrown = await group.next() == true
      let rest = pace - (surroundings.elapsed() - begun)
      if hasGrown, rest > .zero {
        group.addTask {
          try? await surroundings.sleep(rest)
          return false
        }
        _ = await group.next()
      }
      group.cancelAll()
    }
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
    try await records.update(TaskRecord.documentName(id)) { if !$0.state.isFinal { $0.state = .cancelling } }
    running[id]?.cancellation.request()
    await locks.abandon(id)
  }

  // MARK: Running

  private func launch(_ record: TaskRecord, isResumed: Bool = false) {
    // It is recorded, and so the next server's.
    if isStopped { return }
    if !isResumed { checkpoints.begin(record.id) }
    let cancellation = Cancellation()
    if record.state == .cancelling { cancellation.request() }
    let context = TaskContext(
      id: record.id, user: record.user, description: record.description, request: record.request,
      parent: record.parent, cause: record.cause,
      output: TaskOutput(task: record.id, journals: journals, surroundings: surroundings), cancellation: cancellation,
      surroundings: surroundings, hasBegun: record.startedAt != nil, board: self)
    let task = surroundings.task { await self.run(record, context, isResumed: isResumed) }
    running[record.id] = Running(
      waitingParent: record.isAwaited == true ? record.parent : nil, cancellation: cancellation, task: task,
      end: EndSignal())
  }

  private func run(_ record: TaskRecord, _ context: TaskContext, isResumed: Bool) async {
    defer {
      running.removeValue(forKey: record.id)?.end.set()
    }
    if isResumed {
      await context.output.mend()
      try? await context.warn("The server was started again; the task goes on")
    }
    await context.output.debug(
      "INFO -- \(isResumed ? "taking up" : "starting") task \(record.id) (\(record.type)): \(record.description)")
    do {
      guard let work = works[record.type] else {
        throw DroverError(.unsupported, "this server does not know how to do tasks of type '\(record.type)'")
      }
      let result = try await work(context)
      await finish(record.id, .done, result)
    } catch is TaskCancelled {
      try? await context.output.event { TaskEvent.failure(code: 10001, "Task \(record.id) cancelled", at: $0) }
      await finish(record.id, .cancelled, "Task \(record.id) cancelled")
    } catch {
      // The server stops: the task is left as it is, to be taken up again.
      if Task.isCancelled { return }
      let failure = DirectorFailure.describing(error)
      try? await context.output.event { TaskEvent.failure(code: failure.number, failure.description, at: $0) }
      await context.output.debug("ERROR -- \(failure.description)")
      await finish(record.id, .error, failure.description)
    }
    await locks.release(holder: record.id)
    if !Task.isCancelled { forgetLater(history.add(record)) }
  }

  private func forgetLater(_ ids: [Int]) {
    guard !ids.isEmpty else { return }
    surroundings.task { () async -> Void in
      for id in ids {
        do { try await self.forget(id) } catch {
          self.logger.warning("an old task cannot be removed", metadata: ["task": "\(id)", "error": "\(error)"])
        }
      }
    }
  }

  /// Records the end of a task, again and again until the store takes it: a task whose end is not recorded would be done
  /// twice.
  private func finish(_ id: Int, _ state: TaskRecord.State, _ result: String?) async {
    var pause = Duration.milliseconds(50)
    while true {
      do {
        let now = surroundings.now().seconds
        try await records.update(TaskRecord.documentName(id)) { record in
          record.state = state
          record.result = result
          record.finishedAt = now
          record.locks = nil
          record.awaitedLocks = nil
          if record.startedAt == nil { record.startedAt = now }
        }
        try? await checkpoints.forget(id)
        return
      } catch {
        if Task.isCancelled { return }
        logger.error("the end of a task cannot be recorded", metadata: ["task": "\(id)", "error": "\(error)"])
        try? await surroundings.sleep(pause)
        pause = min(pause * 2, .seconds(10))
      }
    }
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
