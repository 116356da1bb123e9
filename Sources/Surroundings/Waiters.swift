import Synchronization

/// Tasks that wait until something has happened to a thing with a name.
public final class Waiters<Name: Hashable & Sendable>: Sendable {
  private struct Waiting {
    let names: [Name]
    let continuation: CheckedContinuation<Void, Never>
  }

  private struct State {
    var waiting: [Int: Waiting] = [:]
    var last = 0
  }

  private let state = Mutex(State())

  public init() {}

  /// Returns after ``wake(_:)`` with one of these names, or when the Swift task is cancelled; at once when it has happened
  /// already, which is asked after nothing can be missed any more.
  public func wait(
    anyOf names: [Name], isolation: isolated (any Actor)? = #isolation, unless hasHappened: () -> Bool
  ) async {
    let number = state.withLock { state in
      state.last += 1
      return state.last
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        state.withLock { $0.waiting[number] = Waiting(names: names, continuation: continuation) }
        if Task.isCancelled || hasHappened() { take(number)?.resume() }
      }
    } onCancel: {
      take(number)?.resume()
    }
  }

  /// The same for one name.
  public func wait(
    _ name: Name, isolation: isolated (any Actor)? = #isolation, unless hasHappened: () -> Bool
  ) async {
    await wait(anyOf: [name], isolation: isolation, unless: hasHappened)
  }

  public func wake(_ name: Name) {
    let woken = state.withLock { state in
      let found = state.waiting.filter { $0.value.names.contains(name) }
      for number in found.keys { state.waiting[number] = nil }
      return found.values.map(\.continuation)
    }
    for continuation in woken { continuation.resume() }
  }

  private func take(_ number: Int) -> CheckedContinuation<Void, Never>? {
    state.withLock { $0.waiting.removeValue(forKey: number)?.continuation }
  }
}
