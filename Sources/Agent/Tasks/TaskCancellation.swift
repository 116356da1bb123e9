import Synchronization

/// Asks one task to stop: its action registers what is to be done, and what registers late is done at once.
///
/// It is not the cancellation of a Swift task, since an action that is asked to stop still has to wait for its scripts.
final class TaskCancellation: Sendable {
  private struct State {
    var isCancelled = false
    var nextID = 0
    var handlers: [Int: @Sendable () -> Void] = [:]
  }

  private let state = Mutex(State())

  init() {}

  var isCancelled: Bool { state.withLock { $0.isCancelled } }

  func cancel() {
    let handlers = state.withLock { state in
      state.isCancelled = true
      defer { state.handlers = [:] }
      return state.handlers.values.map { $0 }
    }
    for handler in handlers { handler() }
  }

  /// Runs the body, and `onCancel` once if the task is asked to stop before the body has ended.
  func during<Result>(
    onCancel: @escaping @Sendable () -> Void, _ body: () async throws -> Result
  ) async rethrows -> Result {
    let id = add(onCancel)
    defer { remove(id) }
    return try await body()
  }

  private func add(_ handler: @escaping @Sendable () -> Void) -> Int? {
    let id: Int? = state.withLock { state in
      if state.isCancelled { return nil }
      state.nextID += 1
      state.handlers[state.nextID] = handler
      return state.nextID
    }
    if id == nil { handler() }
    return id
  }

  private func remove(_ id: Int?) {
    guard let id else { return }
    state.withLock { $0.handlers[id] = nil }
  }
}
