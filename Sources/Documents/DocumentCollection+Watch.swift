extension DocumentCollection {
  /// One change of one document of the collection.
  public struct Change: Sendable {
    public let name: String
    /// The value from now on; nil when the document was deleted.
    public let body: Body?
    public let revision: Int64
  }

  /// The changes above that revision, without end; see ``DocumentStore/watch(_:from:)``.
  public func watch(from revision: Int64) -> some AsyncSequence<Change, any Error> & Sendable {
    store.watch([kind], from: revision).map { change in
      Change(
        name: change.name, body: try change.body.map { try decode(change.name, $0, change.revision) },
        revision: change.revision)
    }
  }
}
