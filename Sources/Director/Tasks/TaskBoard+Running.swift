import Documents
import Formats
import Logging
import Surroundings

/// The life of a task from its start to its end, and until it is forgotten.
extension TaskBoard {
  func launch(_ record: TaskRecord, isResumed: Bool = false) {
    // It is recorded, and so the next server's.
    if isStopped { return }
    if !isResumed { checkpoints.begin(record.id) }
    let cancellation = Cancellation()
    if endedEarly.remove(record.id) != nil || record.state == .cancelling { cancellation.request() }
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

  func forgetLater(_ ids: [Int]) {
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

  /// Removes a task that has ended, with all that it wrote.
  func forget(_ id: Int) async throws {
    guard let record = try await find(id), record.state.isFinal else { return }
    try await journals.remove("tasks/\(id)")
    try? await checkpoints.forget(id)
    try await records.delete(TaskRecord.documentName(id))
  }
}
