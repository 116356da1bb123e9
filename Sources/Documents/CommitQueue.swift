import Formats
import GRDB
import Synchronization

/// Commits of many writers, done together: while one transaction is being synced, what arrives waits for the next one.
final class CommitQueue: Sendable {
  private struct Request: Sendable {
    let writes: [Write]
    let continuation: CheckedContinuation<Int64, any Error>
  }

  private struct State {
    var waiting: [Request] = []
    var working = false
    var closed = false
    var idle: [CheckedContinuation<Void, Never>] = []
    var statistics = SQLiteDocumentStore.Statistics()
    /// The revision of the last change that is committed. Only the database's writer touches it.
    var revision: Int64
  }

  /// Commits that one transaction does at most, so that the first of them does not wait too long.
  private static let most = 512

  private let pool: DatabasePool
  private let feed: ChangeFeed
  private let history: Int64
  private let state: Mutex<State>

  init(pool: DatabasePool, feed: ChangeFeed, revision: Int64, history: Int) {
    self.pool = pool
    self.feed = feed
    self.history = Int64(history)
    state = Mutex(State(revision: revision))
  }

  var statistics: SQLiteDocumentStore.Statistics { state.withLock { $0.statistics } }

  func commit(_ writes: [Write]) async throws -> Int64 {
    try await withCheckedThrowingContinuation { continuation in
      let (closed, start) = state.withLock { state in
        if state.closed { return (true, false) }
        state.waiting.append(Request(writes: writes, continuation: continuation))
        defer { state.working = true }
        return (false, !state.working)
      }
      if closed {
        continuation.resume(throwing: DroverError(.unavailable, "committing documents: the store is closed"))
      } else if start {
        pool.asyncWriteWithoutTransaction { database in self.work(database) }
      }
    }
  }

  /// Refuses new commits, and returns when those that were accepted are done.
  func close() async {
    await withCheckedContinuation { continuation in
      let idle = state.withLock { state in
        state.closed = true
        if state.working { state.idle.append(continuation) }
        return !state.working
      }
      if idle { continuation.resume() }
    }
  }

  /// Takes what waits until nothing does.
  private func work(_ database: Database) {
    while true {
      let (batch, idle) = state.withLock { state in
        let batch = Array(state.waiting.prefix(Self.most))
        state.waiting.removeFirst(batch.count)
        if !batch.isEmpty { return (batch, [CheckedContinuation<Void, Never>]()) }
        state.working = false
        defer { state.idle = [] }
        return ([], state.idle)
      }
      for waiter in idle { waiter.resume() }
      if batch.isEmpty { return }
      if !perform(batch, database), batch.count > 1 {
        // The medium refused. One commit that is too large for it should not fail the others.
        for request in batch { _ = perform([request], database, last: true) }
      }
    }
  }

  /// Does these commits in one transaction and answers them. Returns false, with nothing done or answered, when the
  /// medium fails and there is more than one.
  private func perform(_ batch: [Request], _ database: Database, last: Bool = false) -> Bool {
    var transaction = CommitTransaction(database: database, revision: state.withLock { $0.revision })
    var outcomes: [Result<Int64, any Error>] = []
    do {
      try database.inTransaction(.immediate) {
        outcomes = try batch.map { try transaction.apply($0.writes) }
        try transaction.record(keeping: history)
        if let newest = transaction.changes.last { feed.announce(upTo: newest.revision) }
        return .commit
      }
    } catch {
      if batch.count > 1 { return false }
      outcomes = [.failure(SQLiteSchema.error("committing documents", error))]
      transaction.changes = []
    }
    state.withLock { state in
      state.revision = transaction.changes.last?.revision ?? state.revision
      state.statistics.transactions += 1
      state.statistics.commits += batch.count
    }
    feed.publish(transaction.changes)
    for (request, outcome) in zip(batch, outcomes) { request.continuation.resume(with: outcome) }
    return true
  }
}
