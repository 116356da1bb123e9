import Formats
import Synchronization

/// The latest changes of a store in memory, for its watchers.
final class ChangeFeed: Sendable {
  enum Answer {
    /// Changes of the kinds, and the revision up to which the reader has now seen everything.
    case some([DocumentChange], upTo: Int64)
    /// The reader is further behind than the feed remembers.
    case older
    case none
    case closed
  }

  private struct State {
    /// Consecutive revisions, the last one being `last`.
    var recent: [DocumentChange] = []
    var last: Int64
    /// The last revision of the commit that is under way: readers of the store may see it before it is published.
    var coming: Int64
    var closed = false
    var waiters: [Int: CheckedContinuation<Void, any Error>] = [:]
    var nextWaiter = 0
  }

  private let state: Mutex<State>
  private let capacity: Int

  /// A feed of the changes after `last`, which remembers at least `capacity` of them.
  init(last: Int64, capacity: Int) {
    state = Mutex(State(last: last, coming: last))
    self.capacity = capacity
  }

  var last: Int64 { state.withLock { $0.last } }

  /// Says that a commit up to this revision is about to be done. Who has read it from the store before it is published
  /// waits for what comes after it.
  func announce(upTo revision: Int64) { state.withLock { $0.coming = revision } }

  /// Hands on changes that are committed; their revisions continue those of the last call.
  func publish(_ changes: [DocumentChange]) {
    guard let newest = changes.last else { return }
    let waiters = state.withLock { state in
      state.recent += changes
      state.last = newest.revision
      if state.recent.count > capacity * 2 { state.recent.removeFirst(state.recent.count - capacity) }
      defer { state.waiters = [:] }
      return state.waiters.values
    }
    for waiter in waiters { waiter.resume() }
  }

  func take(_ kinds: Set<String>, above cursor: Int64) throws -> Answer {
    try state.withLock { state in
      if state.closed { return .closed }
      guard cursor <= max(state.last, state.coming) else {
        throw DroverError(
          .invalid, "watching documents from revision \(cursor): the store is at revision \(state.last) only")
      }
      if cursor >= state.last { return .none }
      let first = state.last - Int64(state.recent.count)
      guard cursor >= first else { return .older }
      let found = state.recent[Int(cursor - first)...].filter { kinds.contains($0.kind) }
      return .some(found, upTo: state.last)
    }
  }

  /// Returns when there is a change above `cursor`, or the feed was closed.
  func grown(above cursor: Int64) async throws {
    let number = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let outcome: Result<Void, any Error>? = state.withLock { state in
          if Task.isCancelled { return .failure(CancellationError()) }
          if state.closed || state.last > cursor { return .success(()) }
          state.waiters[number] = continuation
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      state.withLock { $0.waiters.removeValue(forKey: number) }?.resume(throwing: CancellationError())
    }
  }

  /// Ends all watches.
  func close() {
    let waiters = state.withLock { state in
      state.closed = true
      defer { state.waiters = [:] }
      return state.waiters.values
    }
    for waiter in waiters { waiter.resume() }
  }
}
