import Formats
import Synchronization

/// Documents in memory, for tests and simulation: gone when the process ends, atomic and ordered like any other driver.
public final class MemoryDocumentStore: DocumentStore {
  private struct State {
    /// By kind and by the bytes of the name.
    var documents: [String: [[UInt8]: Document]] = [:]
    var revision: Int64 = 0
    var closed = false
  }

  private let state = Mutex(State())
  private let feed: ChangeFeed

  /// - Parameter history: how many changes at least are kept for watchers that start late.
  public init(history: Int = 10_000) {
    feed = ChangeFeed(last: 0, capacity: history)
  }

  public func get(_ kind: String, _ name: String) async throws -> Document? {
    try state.withLock { state in
      try Self.checkOpen(state)
      return state.documents[kind]?[Array(name.utf8)]
    }
  }

  public func list(_ kind: String, prefix: String) async throws -> DocumentListing {
    let (documents, revision) = try state.withLock { state in
      try Self.checkOpen(state)
      return (state.documents[kind] ?? [:], state.revision)
    }
    let found = documents.filter { $0.key.starts(with: prefix.utf8) }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
    return DocumentListing(documents: found.map(\.value), revision: revision)
  }

  public func commit(_ writes: [Write]) async throws -> Int64 {
    try DocumentRules.check(writes)
    return try state.withLock { state in
      try Self.checkOpen(state)
      let effects: [Write.Effect]
      do {
        effects = try writes.map { write in
          try write.effect(on: state.documents[write.kind]?[Array(write.name.utf8)]?.revision)
        }
      } catch let fault as DocumentFault {
        throw fault.error("committing \(writes.count) documents")
      }
      var changes: [DocumentChange] = []
      for (write, effect) in zip(writes, effects) where effect != .nothing {
        state.revision += 1
        var body: [UInt8]?
        if case .set(let bytes) = effect { body = bytes }
        let (kind, name, revision) = (write.kind, write.name, state.revision)
        state.documents[kind, default: [:]][Array(name.utf8)] = body.map {
          Document(kind: kind, name: name, body: $0, revision: revision)
        }
        changes.append(DocumentChange(kind: kind, name: name, body: body, revision: revision))
      }
      feed.publish(changes)
      return state.revision
    }
  }

  public func watch(_ kinds: Set<String>, from revision: Int64) -> DocumentChanges {
    DocumentChanges(kinds: kinds, start: revision, feed: feed) { above in
      throw DocumentFault(.forgotten, kind: "", name: "").error("watching documents from revision \(above)")
    }
  }

  public func revision() async throws -> Int64 { state.withLock { $0.revision } }

  public func close() async throws {
    state.withLock { $0.closed = true }
    feed.close()
  }

  private static func checkOpen(_ state: State) throws {
    if state.closed { throw DroverError(.unavailable, "using the document store: it is closed") }
  }
}
