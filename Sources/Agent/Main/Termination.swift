import Synchronization

/// The one way in which the agent ends: whoever wants that says so here, and the first one's exit code counts.
public final class Termination: Sendable {
  private struct State {
    var code: Int32?
    var waiters: [CheckedContinuation<Int32, Never>] = []
  }

  private let state = Mutex(State())

  public init() {}

  /// The exit code, once somebody wants the agent to end.
  var code: Int32? { state.withLock { $0.code } }

  public func end(_ code: Int32) {
    let (waiters, first) = state.withLock { state in
      if state.code == nil { state.code = code }
      defer { state.waiters = [] }
      return (state.waiters, state.code ?? code)
    }
    for waiter in waiters { waiter.resume(returning: first) }
  }

  /// Returns the exit code once somebody wants the agent to end.
  public func wait() async -> Int32 {
    await withCheckedContinuation { continuation in
      let code: Int32? = state.withLock { state in
        if state.code == nil { state.waiters.append(continuation) }
        return state.code
      }
      if let code { continuation.resume(returning: code) }
    }
  }

  /// Does what may take for ever.
  ///
  /// - Returns: nil when the agent is to end meanwhile; the work is cancelled then.
  func unlessEnded<Result: Sendable>(_ work: @escaping @Sendable () async throws -> Result) async throws -> Result? {
    let working = Task { try await work() }
    Task {
      _ = await wait()
      working.cancel()
    }
    do {
      return try await working.value
    } catch  where code != nil {
      return nil
    }
  }
}
