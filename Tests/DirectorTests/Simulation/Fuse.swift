import Synchronization

/// The life of one incarnation of a server: everything that it does to the world passes through here, and after a number
/// of deeds it is dead. What it does afterwards never happens, and no answer reaches it any more.
final class Fuse: Sendable {
  private struct State {
    var remaining: Int?
    /// Whether the last deed is still done, only its answer is lost.
    var isLastDone = false
    var isBlown = false
    var isReleased = false
    var nextID = 0
    var hanging: [Int: CheckedContinuation<Void, Never>] = [:]
    var watchers: [CheckedContinuation<Void, Never>] = []
    var isOver = false
  }

  private let state = Mutex(State())
  private let clock: VirtualClock

  init(_ clock: VirtualClock) { self.clock = clock }

  /// The server dies with its `deeds`-th deed from now on.
  func arm(deeds: Int, isLastDone: Bool) {
    state.withLock { state in
      state.remaining = deeds
      state.isLastDone = isLastDone
    }
  }

  var isBlown: Bool { state.withLock { $0.isBlown } }

  /// - Parameter lastly: what happens instead when the server dies in the middle of the deed; nil for the deed itself.
  func pass<Result>(
    lastly: (() async throws -> Void)? = nil, _ deed: () async throws -> Result
  ) async throws -> Result {
    let (isDead, isDone) = state.withLock { state -> (Bool, Bool) in
      if state.isBlown { return (true, false) }
      guard let remaining = state.remaining else { return (false, true) }
      state.remaining = remaining - 1
      guard remaining <= 1, !state.isOver else { return (false, true) }
      state.isBlown = true
      return (true, state.isLastDone)
    }
    if isDead {
      if isDone, let lastly { try? await lastly() } else if isDone { _ = try? await deed() }
      announce()
      try await hang()
    }
    let result = try await deed()
    if isBlown { try await hang() }
    return result
  }

  /// Waits until the server is dead. Returns false when it will not die any more.
  func waitUntilBlown() async -> Bool {
    await withCheckedContinuation { continuation in
      let isKnown = state.withLock { state in
        if state.isBlown || state.isOver { return true }
        state.watchers.append(continuation)
        return false
      }
      if isKnown { continuation.resume() }
    }
    return isBlown
  }

  /// From now on the server lives, if it is not dead. Returns whether it lives.
  func disarm() -> Bool {
    let isBlown = state.withLock { state in
      state.isOver = true
      state.remaining = nil
      return state.isBlown
    }
    announce()
    return !isBlown
  }

  /// Lets what hangs in the dead server go.
  func release() {
    let hanging = state.withLock { state in
      state.isReleased = true
      defer { state.hanging = [:] }
      return Array(state.hanging.values)
    }
    for continuation in hanging { continuation.resume() }
  }

  private func announce() {
    let watchers = state.withLock { state in
      defer { state.watchers = [] }
      return state.watchers
    }
    for watcher in watchers { watcher.resume() }
  }

  /// Never comes back but with an error.
  private func hang() async throws {
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isFree = state.withLock { state in
          if state.isReleased || Task.isCancelled { return true }
          state.hanging[id] = continuation
          return false
        }
        if isFree { continuation.resume() }
      }
    } onCancel: {
      state.withLock { $0.hanging.removeValue(forKey: id) }?.resume()
    }
    throw CancellationError()
  }
}
