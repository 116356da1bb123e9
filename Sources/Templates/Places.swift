import Synchronization

/// A number of places that tasks take and give back; who finds none waits in line.
final class Places: Sendable {
  private struct State {
    var free: Int
    var nextTicket = 0
    var line: [(ticket: Int, continuation: CheckedContinuation<Void, any Error>)] = []
  }

  private let state: Mutex<State>

  init(_ count: Int) { state = Mutex(State(free: count)) }

  /// - Throws: `CancellationError`, and then no place was taken.
  func take() async throws {
    let ticket = state.withLock { state in
      state.nextTicket += 1
      return state.nextTicket
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let result: Result<Void, any Error>? = state.withLock { state in
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.free > 0 {
            state.free -= 1
            return .success(())
          }
          state.line.append((ticket, continuation))
          return nil
        }
        if let result { continuation.resume(with: result) }
      }
    } onCancel: {
      let continuation: CheckedContinuation<Void, any Error>? = state.withLock { state in
        guard let place = state.line.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        return state.line.remove(at: place).continuation
      }
      continuation?.resume(throwing: CancellationError())
    }
  }

  func giveBack() {
    let next: CheckedContinuation<Void, any Error>? = state.withLock { state in
      guard !state.line.isEmpty else {
        state.free += 1
        return nil
      }
      return state.line.removeFirst().continuation
    }
    next?.resume()
  }
}
