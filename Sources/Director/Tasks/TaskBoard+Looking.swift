import Documents
import Surroundings

/// What tasks there are, and waiting for what comes of them.
extension TaskBoard {
  public func task(_ id: Int) async throws -> TaskRecord {
    guard let record = try await records.get(TaskRecord.documentName(id)) else {
      throw DirectorFailure.taskNotFound(String(id))
    }
    return record.body
  }

  /// The task; nil when there is none, or none any more.
  func find(_ id: Int) async throws -> TaskRecord? { try await records.get(TaskRecord.documentName(id))?.body }

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
}
