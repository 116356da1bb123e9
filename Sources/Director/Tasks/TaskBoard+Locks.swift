import Documents
import Surroundings

/// The locks of tasks (design D8).
extension TaskBoard {
  func acquire(_ context: TaskContext, _ resources: [String: LockTable.Mode]) async throws {
    // One that had begun has something to tidy up, and looks for itself whether it is to end.
    if !context.hasBegun { try context.cancellation.check() }
    // Its end may be wished by something that this board knows nothing of, such as the loss of a lease.
    try await wait(context, resources, isWatched: !context.hasBegun) { record in
      // A task that waits has its place in the queue also after a restart.
      if record.startedAt == nil { record.locks = resources }
    } orEnd: { record in
      // It has no place in the queue any more.
      record.locks = nil
    }
    let now = surroundings.now().seconds
    // What was restored after a restart may be more than what was asked for.
    let held = await locks.granted(to: context.id)
    try await records.update(TaskRecord.documentName(context.id)) { record in
      record.locks = held
      if record.state == .queued { record.state = .processing }
      if record.startedAt == nil { record.startedAt = now }
    }
  }

  /// Claims more for a task that holds locks, and keeps what it has meanwhile.
  func extend(_ context: TaskContext, _ resources: [String: LockTable.Mode]) async throws {
    try context.cancellation.check()
    try await wait(context, resources, isWatched: true) { record in
      record.awaitedLocks = resources
    } orEnd: { record in
      record.awaitedLocks = nil
    }
    let held = await locks.granted(to: context.id)
    try await records.update(TaskRecord.documentName(context.id)) { record in
      record.locks = held
      record.awaitedLocks = nil
    }
  }

  /// - Parameters:
  ///   - note: writes down for what it waits, when it has to.
  ///   - forget: the opposite, when somebody ends the wait.
  private func wait(
    _ context: TaskContext, _ resources: [String: LockTable.Mode], isWatched: Bool,
    noting note: @escaping @Sendable (inout TaskRecord) -> Void,
    orEnd forget: @escaping @Sendable (inout TaskRecord) -> Void
  ) async throws {
    let claim = LockTable.Claim(
      holder: context.id, purpose: context.description, resources: resources, parent: context.parent)
    let name = TaskRecord.documentName(context.id)
    let abandon = { @Sendable [locks, surroundings] in
      if isWatched { surroundings.task { await locks.abandon(context.id) } }
    }
    do {
      try await context.cancellation.whileWatched(abandon) { @Sendable [locks, records] in
        try await locks.acquire(claim) { blockers in
          _ = try? await records.update(name) { note(&$0) }
          let who = blockers.map { "task \($0.holder): \($0.purpose)" }.joined(separator: ", ")
          try? await context.warn("Waiting for \(who)")
        }
      }
    } catch is CancellationError where context.cancellation.isRequested {
      _ = try? await records.update(name) { forget(&$0) }
      throw TaskCancelled()
    }
  }

  /// What a task holds, also what it was given again after a restart; nil when that is nothing.
  func heldLocks(of id: Int) async -> [String: LockTable.Mode]? { await locks.granted(to: id) }

  func release(_ id: Int) async { await locks.release(holder: id) }

  /// A task that has begun nothing with its locks goes without them, also after a restart.
  func unclaim(_ id: Int) async throws {
    try await records.update(TaskRecord.documentName(id)) { record in
      record.locks = nil
      record.awaitedLocks = nil
      record.startedAt = nil
      if record.state == .processing { record.state = .queued }
    }
  }

  /// The tasks for which one that waits for locks waits in the end: those in its way, those in theirs, and those that they
  /// have started and wait for.
  func inTheWay(of id: Int) async -> Set<Int> {
    var found: Set<Int> = []
    var next = [id]
    while let one = next.popLast() {
      let blockers = await locks.blockers(of: one)
      let children = one == id ? [] : running.filter { $0.value.waitingParent == one }.map(\.key)
      for other in blockers + children where other != id && found.insert(other).inserted { next.append(other) }
    }
    return found
  }
}
