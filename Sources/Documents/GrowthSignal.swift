import Synchronization

/// Wakes those who wait for a named thing to grow.
final class GrowthSignal: Sendable {
  private struct State {
    var waiters: [String: [Int: (beyond: Int64, continuation: CheckedContinuation<Void, any Error>)]] = [:]
    var next = 0
  }

  private let state = Mutex(State())

  /// Suspends until ``grown(_:to:)`` says more than `beyond`, or ``wake(_:)``; not at all when `size()` is larger already.
  func wait(_ name: String, beyond: Int64, size: @Sendable () -> Int64) async throws {
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let registered = state.withLock { state in
          if Task.isCancelled { return false }
          state.waiters[name, default: [:]][number] = (beyond, continuation)
          return true
        }
        if !registered { return continuation.resume(throwing: CancellationError()) }
        // Looked at after registering: a growth in between is seen here or by the signal.
        if size() > beyond { take(name, number)?.resume() }
      }
    } onCancel: {
      take(name, number)?.resume(throwing: CancellationError())
    }
  }

  func grown(_ name: String, to size: Int64) {
    let woken = state.withLock { state in
      guard let waiters = state.waiters[name] else { return [CheckedContinuation<Void, any Error>]() }
      let rest = waiters.filter { $0.value.beyond >= size }
      state.waiters[name] = rest.isEmpty ? nil : rest
      return waiters.values.filter { $0.beyond < size }.map(\.continuation)
    }
    for continuation in woken { continuation.resume() }
  }

  func wake(_ name: String) { grown(name, to: .max) }

  private func take(_ name: String, _ number: Int) -> CheckedContinuation<Void, any Error>? {
    state.withLock { state in
      let waiter = state.waiters[name]?.removeValue(forKey: number)
      if state.waiters[name]?.isEmpty == true { state.waiters[name] = nil }
      return waiter?.continuation
    }
  }
}
