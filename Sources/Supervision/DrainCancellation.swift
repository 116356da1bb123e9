import Processes
import Surroundings
import Synchronization

/// Ends the drain script of one job and its pauses, once asked to.
final class DrainCancellation: Sendable {
  enum Reason: Sendable, Hashable {
    case user
    /// The operator's limit has passed.
    case limit
  }

  private struct State {
    var reason: Reason?
    var nextID = 0
    var waiting: [Int: AsyncStream<Void>.Continuation] = [:]
  }

  private let state = Mutex(State())

  /// Why it is to end; nil while it may go on.
  var reason: Reason? { state.withLock { $0.reason } }

  /// The first reason counts.
  func cancel(_ reason: Reason = .user) {
    let waiting = state.withLock { state in
      if state.reason == nil { state.reason = reason }
      return state.waiting.values
    }
    for continuation in waiting { continuation.finish() }
  }

  /// Waits for the script; when cancelled, ends it first: SIGTERM, 10 s, SIGKILL.
  func ending(_ script: RunningScript, in surroundings: Surroundings) async throws -> ScriptExit {
    try await race {
      try await script.wait()
    } cancelled: {
      try await script.terminate(grace: .seconds(10), in: surroundings)
    }
  }

  /// Waits; less long when cancelled.
  func sleep(_ duration: Duration, in surroundings: Surroundings) async throws {
    try await race {
      try await surroundings.sleep(duration)
    } cancelled: {
    }
  }

  private func race<R: Sendable>(
    _ body: @escaping @Sendable () async throws -> R, cancelled: @escaping @Sendable () async throws -> R
  ) async throws -> R {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    let (id, already) = state.withLock { state in
      state.nextID += 1
      state.waiting[state.nextID] = continuation
      return (state.nextID, state.reason != nil)
    }
    if already { continuation.finish() }
    defer { _ = state.withLock { $0.waiting.removeValue(forKey: id) } }
    let first: R? = try await withThrowingTaskGroup(of: R?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        for await _ in stream {}
        try Task.checkCancellation()
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
    if let first { return first }
    return try await cancelled()
  }
}
