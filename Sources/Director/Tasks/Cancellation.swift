import Synchronization

/// Somebody's wish that a task should end.
///
/// It is not Swift's task cancellation, which means that the *server* stops and the task is to be taken up again later: a
/// task that is to end still tidies up, deletes its VM and fetches its logs, and asks here only where it can stop.
public final class Cancellation: Sendable {
  private struct State {
    var isRequested = false
    var handlers: [Int: @Sendable () -> Void] = [:]
    var nextHandler = 0
  }

  private let state = Mutex(State())

  public init() {}

  public var isRequested: Bool { state.withLock { $0.isRequested } }

  /// - Throws: ``TaskCancelled`` once somebody has asked for the end.
  public func check() throws {
    if isRequested { throw TaskCancelled() }
    try Task.checkCancellation()
  }

  public func request() {
    let handlers = state.withLock { state in
      defer {
        state.isRequested = true
        state.handlers = [:]
      }
      return Array(state.handlers.values)
    }
    for handler in handlers { handler() }
  }

  /// Calls `handler` when the end is asked for, at once when it has been already, while `body` runs.
  public func whileWatched<Result>(
    _ handler: @escaping @Sendable () -> Void, _ body: () async throws -> Result
  ) async rethrows -> Result {
    let key: Int? = state.withLock { state in
      guard !state.isRequested else { return nil }
      state.nextHandler += 1
      state.handlers[state.nextHandler] = handler
      return state.nextHandler
    }
    guard let key else {
      handler()
      return try await body()
    }
    defer { state.withLock { _ = $0.handlers.removeValue(forKey: key) } }
    return try await body()
  }
}

/// A task ended because somebody asked for it.
public struct TaskCancelled: Error, CustomStringConvertible {
  public init() {}
  public var description: String { "Task was cancelled" }
}
