public import Sealing

/// Where the server's state is kept: documents of a kind, a name, a JSON body and a revision.
///
/// Acknowledged means durable, as far as the driver's medium is. Every driver passes the same conformance test. Rules
/// that must hold are kept inside one document, by create-only documents, or by one atomic commit.
public protocol DocumentStore: Sendable {
  /// What is secret in documents is sealed with these keys by whoever makes them; nil leaves everything in clear.
  var seal: SealKeys? { get }

  /// The document, or nil when there is none.
  func get(_ kind: String, _ name: String) async throws -> Document?

  /// The kind's documents whose names begin with `prefix`, in the byte order of their names.
  func list(_ kind: String, prefix: String) async throws -> DocumentListing

  /// Does all of the writes, or none.
  ///
  /// - Returns: the revision of the last change; each change has one of its own, in the order given. Without changes,
  ///   the store's revision.
  /// - Throws: `DroverError` with a ``DocumentFault`` as cause when a condition does not hold; `invalid` for a name that
  ///   is not allowed or two writes to the same document; `failed` when the medium fails (nothing of it was written).
  func commit(_ writes: [Write]) async throws -> Int64

  /// The changes of these kinds with a revision above `revision`, in commit order and without end, deletions included.
  ///
  /// Iterating throws a ``DocumentFault/Reason/forgotten`` fault when the history does not go back that far, and ends
  /// when the store is closed.
  func watch(_ kinds: Set<String>, from revision: Int64) -> DocumentChanges

  /// The revision of the last change.
  func revision() async throws -> Int64

  /// Ends watches and lets go of what the driver holds. Later calls fail.
  func close() async throws
}

extension DocumentStore {
  public var seal: SealKeys? { nil }

  /// All documents of the kind.
  public func list(_ kind: String) async throws -> DocumentListing { try await list(kind, prefix: "") }

  /// The changes of one kind.
  public func watch(_ kind: String, from revision: Int64) -> DocumentChanges { watch([kind], from: revision) }

  /// The next number of a sequence of that name: 1 at first, and never the same twice, also after a restart.
  public func nextNumber(_ sequence: String) async throws -> Int64 {
    let numbers = DocumentCollection<Int64>(self, kind: "number")
    let entry = try await numbers.update(sequence, orCreate: 0) { $0 += 1 }
    return entry.body
  }
}
