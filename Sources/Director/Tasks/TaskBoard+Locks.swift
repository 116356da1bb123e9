import Documents
import Surroundings

/// The locks of tasks (design D8).
extension TaskBoard {
  func acquire(_ context: TaskContext, _ resources: [String: LockTable.Mode]) async throws {
    // One that had begun has something to tidy up, and looks for itself whether it is to end.
    if !context.hasBegun { try context.cancellation.check() }
    let claim = LockTable.Claim(
      holder: context.id, purpose: context.description, resources: resources, parent: context.parent)
    let name = TaskRecord.documentName(context.id)
    // Its end may be wished by something that this board knows nothing of, such as the loss of a lease.
    let isWatched = !context.hasBegun
    let abandon = { @Sendable [locks, surroundings] in
      if isWatched { surroundings.task { await locks.abandon(context.id) } }
    }
    do {
      try await context.cancellation.whileWatched(abandon) { @Sendable [locks, records] in
        try await locks.acquire(claim) { blockers in
          // A task that waits has its place in the queue also after a restart.
          _ = try? await records.update(name) { $0.locks = resources }
          let who = blockers.map { "task \($0.holder): \($0.purpose)" }.joined(separator: ", ")
          try? await context.warn("Waiting for \(who)")
        }
      }
    } catch is CancellationError where context.cancellation.isRequested {
      // It has no place in the queue any more.
      _ = try? await records.update(name) { $0.locks = nil }
      throw TaskCancelled()
    }
    let now = surroundings.now().seconds
    try await records.update(name) { record in
      record.locks = resources
      if record.state == .queued { record.state = .processing }
      if record.startedAt == nil { record.startedAt = now }
    }
  }

  func release(_ id: Int) async { await locks.release(holder: id) }

  /// A task that has begun nothing with its locks goes without them, also after a restart.
  func unclaim(_ id: Int) async throws {
    try await records.update(TaskRecord.documentName(id)) { record in
      record.locks = nil
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
