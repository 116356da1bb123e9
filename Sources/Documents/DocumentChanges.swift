/// Changes of documents in commit order, pulled by whoever iterates: a slow reader costs the writers nothing.
///
/// Iterating throws `CancellationError` when the task is cancelled.
public struct DocumentChanges: AsyncSequence, Sendable {
  public typealias Element = DocumentChange
  public typealias Failure = any Error

  let kinds: Set<String>
  let start: Int64
  let feed: ChangeFeed
  /// Older changes than the feed holds: those above a revision, oldest first, as many as it likes to give at once.
  let history: @Sendable (_ above: Int64) async throws -> [DocumentChange]

  public func makeAsyncIterator() -> Iterator { Iterator(changes: self, cursor: start) }

  public struct Iterator: AsyncIteratorProtocol {
    let changes: DocumentChanges
    var cursor: Int64
    var ready: ArraySlice<DocumentChange> = []

    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> DocumentChange? {
      while true {
        if let change = ready.popFirst() { return change }
        try Task.checkCancellation()
        switch try changes.feed.take(changes.kinds, above: cursor) {
        case .some(let found, let last):
          ready = found[...]
          cursor = last
        case .older:
          let found = try await changes.history(cursor)
          cursor = found.last?.revision ?? cursor
          ready = found.filter { changes.kinds.contains($0.kind) }[...]
        case .none:
          try await changes.feed.grown(above: cursor)
        case .closed:
          return nil
        }
      }
    }

    public mutating func next() async throws -> DocumentChange? { try await next(isolation: nil) }
  }
}
