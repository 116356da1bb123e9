public import Documents
import Formats
public import Logging
public import Surroundings

/// The pools of one server: decides by ``LeaseEngine``, one operation at a time, and answers when what it changed is on
/// the store's medium.
///
/// While one commit is being synced, operations go on in memory; what they change shares the next commit. When a commit
/// fails, everything that was decided since is taken back, and all of those operations fail.
public actor PoolKeeper {
  public struct Options: Sendable {
    /// How long a place in a queue is kept for somebody who does not ask again.
    public var requestTime: Duration
    /// How often at least it is noted that the server lives; for so long after a crash nothing expires.
    public var aliveInterval: Duration

    public init(requestTime: Duration = .seconds(30), aliveInterval: Duration = .seconds(5)) {
      self.requestTime = requestTime
      self.aliveInterval = aliveInterval
    }
  }

  private struct Pending {
    let changes: [LeaseChange]
    /// Written with them.
    let writes: [Write]
    let isTakingBack: Bool
    let continuation: CheckedContinuation<Void, any Error>
  }

  var engine: LeaseEngine
  /// Nil keeps everything in memory only.
  let store: (any DocumentStore)?
  let surroundings: Surroundings
  let logger: Logger
  private let options: Options
  private var pending: [Pending] = []
  private var isCommitting = false
  private var aliveAt: Timestamp?
  var sleepers = Sleepers()
  public internal(set) var statistics = PoolStatistics()
  /// What is in use, but for the names of static resources.
  public internal(set) var configuration = PoolsConfiguration()
  var policies: [String: TypePolicy] = [:]
  var transitions = TransitionLog()
  var events: EventLog
  var works = WorkLog()
  var alerts = PoolAlerts()
  /// Those who wait for the next event.
  var listeners: [Int: CheckedContinuation<Void, Never>] = [:]
  var nextListener = 0

  /// Reads what is stored.
  ///
  /// - Throws: when the store cannot be read, or holds what cannot be understood.
  public init(
    store: (any DocumentStore)?, options: Options = Options(), surroundings: Surroundings, logger: Logger
  ) async throws {
    self.store = store
    self.options = options
    self.surroundings = surroundings
    self.logger = logger
    var engine = LeaseEngine(identifier: surroundings.identifier)
    engine.requestTime = options.requestTime
    var works = WorkLog()
    let now = surroundings.now()
    if let store {
      let loader = PoolLoader(store: store, now: now)
      try await loader.load(into: &engine)
      works = try await loader.works(of: engine)
    }
    self.engine = engine
    self.works = works
    events = EventLog(start: now)
    transitions.start = now
  }

  /// Does an operation and returns its answer once all that it changed is stored.
  ///
  /// - Parameters:
  ///   - isTakingBack: whether leases that end by it are lost, not handed back.
  ///   - isRepeat: whether its answer may be what an operation before it has changed.
  func perform<Answer: Sendable>(
    isTakingBack: Bool = false, isRepeat: Bool = false,
    _ operation: (inout LeaseEngine, Timestamp) throws(PoolFault) -> Answer
  ) async throws(PoolFault) -> Answer {
    let outcome: Result<Answer, PoolFault>
    do {
      outcome = .success(try operation(&engine, surroundings.now()))
    } catch {
      outcome = .failure(error)
    }
    let changes = engine.takeChanges()
    if !changes.isEmpty {
      try await persist(changes, isTakingBack: isTakingBack)
      wake(after: changes)
    } else if isRepeat, isCommitting, case .success = outcome {
      // What it repeats may still be on its way to the medium, or be taken back.
      try await persist([])
    }
    return try outcome.get()
  }

  /// - Parameter writes: to be stored as well.
  func persist(
    _ changes: [LeaseChange], writes: [Write] = [], isTakingBack: Bool = false
  ) async throws(PoolFault) {
    var writes = writes
    for case .resource(let key, _, nil) in changes where works.forget(key) {
      writes.append(.delete(PoolDocuments.work, key))
    }
    guard store != nil else {
      transitions.add(changes, isTakingBack: isTakingBack)
      return
    }
    do {
      try await withCheckedThrowingContinuation { continuation in
        pending.append(
          Pending(changes: changes, writes: writes, isTakingBack: isTakingBack, continuation: continuation))
        guard !isCommitting else { return }
        isCommitting = true
        surroundings.task { await self.commitPending() }
      }
    } catch {
      throw .storage("storing the change: \(error)")
    }
  }

  private func commitPending() async {
    while !pending.isEmpty {
      let batch = pending
      pending = []
      var writes = PoolWrites()
      for item in batch {
        writes.add(item.changes)
        for write in item.writes { writes.add(write) }
      }
      let now = surroundings.now()
      let isAliveDue = aliveAt.map { now - $0 >= options.aliveInterval } ?? true
      if isAliveDue { writes.add(alive(now)) }
      do {
        _ = try await store?.commit(writes.all(store?.seal))
        if isAliveDue { aliveAt = now }
        for item in batch {
          transitions.add(item.changes, isTakingBack: item.isTakingBack)
          item.continuation.resume()
        }
      } catch {
        let failed = batch + pending
        pending = []
        engine.undo(failed.flatMap(\.changes))
        logger.error(
          "storing changes failed, and they were taken back",
          metadata: ["operations": "\(failed.count)", "error": "\(error)"])
        for item in failed { item.continuation.resume(throwing: error) }
      }
    }
    isCommitting = false
  }

  private func alive(_ now: Timestamp) -> Write {
    .put(PoolDocuments.server, "time", PoolDocuments.body(alive: now, engine.table.outages))
  }

  /// Notes that the server lives, if that is due.
  func noteAlive(always: Bool = false) async {
    let now = surroundings.now()
    guard store != nil, always || aliveAt.map({ now - $0 >= options.aliveInterval }) ?? true else { return }
    // A failure is logged by the commit, and the next tick tries again.
    try? await persist([], writes: [alive(now)])
  }
}
