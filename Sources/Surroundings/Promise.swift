import Synchronization

/// A value that comes once, for any number of tasks that wait for it then and later.
public final class Promise<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var waiting: [Int: CheckedContinuation<Value?, Never>] = [:]
    var last = 0
  }

  private let state = Mutex(State())

  public init() {}

  /// The value; nil until it has come.
  public var known: Value? { state.withLock { $0.value } }

  /// Everybody who waits goes on, and nobody waits any more. Only the first value counts.
  public func fulfil(_ value: Value) {
    let waiting = state.withLock { state in
      if state.value == nil { state.value = value }
      defer { state.waiting = [:] }
      return (state.waiting.values, state.value ?? value)
    }
    for continuation in waiting.0 { continuation.resume(returning: waiting.1) }
  }

  /// Waits for the value, also when the waiting task is cancelled.
  public func value() async -> Value {
    while true { if let value = await wait(heedingCancellation: false) { return value } }
  }

  /// Waits for the value; nil when the waiting task is cancelled before it comes.
  public func valueUnlessCancelled() async -> Value? { await wait(heedingCancellation: true) }

  private func wait(heedingCancellation: Bool) async -> Value? {
    let number = state.withLock { state in
      state.last += 1
      return state.last
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (isOver, value) = state.withLock { state -> (Bool, Value?) in
          if state.value == nil, !(heedingCancellation && Task.isCancelled) {
            state.waiting[number] = continuation
            return (false, nil)
          }
          return (true, state.value)
        }
        if isOver { continuation.resume(returning: value) }
      }
    } onCancel: {
      guard heedingCancellation else { return }
      state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: nil)
    }
  }
}
