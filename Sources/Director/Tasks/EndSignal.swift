import Synchronization

/// Tells any number of waiters, then and later, that something has ended.
final class EndSignal: Sendable {
  private struct State {
    var hasEnded = false
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    var next = 0
  }

  private let state = Mutex(State())

  /// Everybody who waits goes on, and nobody waits any more.
  func set() {
    let waiting = state.withLock { state in
      defer { state.waiting = [:] }
      state.hasEnded = true
      return state.waiting.values
    }
    for continuation in waiting { continuation.resume() }
  }

  /// Waits for the end, or until the waiting task is cancelled.
  func wait() async {
    let key = state.withLock { state in
      state.next += 1
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isOver = state.withLock { state in
          if state.hasEnded || Task.isCancelled { return true }
          state.waiting[key] = continuation
          return false
        }
        if isOver { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.waiting.removeValue(forKey: key) }?.resume()
    }
  }
}
