import Formats
import FoundationEssentials

/// The documents of one kind, as values of one type.
///
///     let deployments = DocumentCollection<DeploymentRecord>(store, kind: "deployment")
///     try await deployments.create("redis", record)
///     try await deployments.update("redis") { $0.manifest = text }
///     _ = try await store.commit([deployments.writing("redis", record), addresses.creating("net/10.0.0.2", address)])
///
/// Bodies are JSON with sorted keys, so equal values are equal texts.
public struct DocumentCollection<Body: Codable & Sendable>: Sendable {
  public let store: any DocumentStore
  public let kind: String
  private let secrets: [SealedField<Body>]
  /// What need not be decoded again; nil when nothing is kept.
  private let decoded: DecodedBodies<Body>?

  /// - Parameters:
  ///   - secrets: what is sealed, when the store has keys.
  ///   - remembered: how many values are kept in memory, for small documents that are read much more often than changed.
  public init(
    _ store: any DocumentStore, kind: String, sealing secrets: [SealedField<Body>] = [], remembering remembered: Int = 0
  ) {
    self.store = store
    self.kind = kind
    self.secrets = secrets
    decoded = remembered > 0 ? DecodedBodies(limit: remembered) : nil
  }

  /// A document's name, value and revision.
  public struct Entry: Sendable {
    public let name: String
    public var body: Body
    public let revision: Int64

    public init(name: String, body: Body, revision: Int64) {
      self.name = name
      self.body = body
      self.revision = revision
    }
  }

  /// The document, nil when there is none.
  public func get(_ name: String) async throws -> Entry? {
    try await store.get(kind, name).map(entry)
  }

  /// The document; throws `notFound` when there is none.
  public func require(_ name: String) async throws -> Entry {
    guard let entry = try await get(name) else {
      throw DocumentFault(.missing, kind: kind, name: name).error("reading a document")
    }
    return entry
  }

  /// The documents whose names begin with `prefix`, in byte order.
  public func list(prefix: String = "") async throws -> [Entry] {
    try await store.list(kind, prefix: prefix).documents.map(entry)
  }

  /// The same, with the revision to watch from.
  public func listing(prefix: String = "") async throws -> (entries: [Entry], revision: Int64) {
    let listing = try await store.list(kind, prefix: prefix)
    return (try listing.documents.map(entry), listing.revision)
  }

  /// Makes it, and returns its revision; throws `conflict` when it exists.
  @discardableResult
  public func create(_ name: String, _ body: Body) async throws -> Int64 {
    try await store.commit([creating(name, body)])
  }

  /// Replaces it where it was read at that revision, and returns the new one.
  @discardableResult
  public func replace(_ name: String, _ body: Body, atRevision: Int64) async throws -> Int64 {
    try await store.commit([replacing(name, body, atRevision: atRevision)])
  }

  /// Stores it, whether it exists or not, and returns its revision.
  @discardableResult
  public func put(_ name: String, _ body: Body) async throws -> Int64 {
    try await store.commit([writing(name, body)])
  }

  /// Deletes it. Without a revision, a document that is not there is fine.
  public func delete(_ name: String, atRevision: Int64? = nil) async throws {
    _ = try await store.commit([deleting(name, atRevision: atRevision)])
  }

  /// Changes it: reads, lets `change` work on the value, and writes it unless somebody else did meanwhile, in which case
  /// all is done again. `change` may run several times. A change that leaves the value as it was writes nothing.
  ///
  /// - Throws: `notFound` when there is none; whatever `change` throws.
  @discardableResult
  public func update(_ name: String, _ change: @Sendable (inout Body) throws -> Void) async throws -> Entry {
    guard let entry = try await attempts(name, nil, change) else {
      throw DocumentFault(.missing, kind: kind, name: name).error("updating a document")
    }
    return entry
  }

  /// The same; a document that does not exist is made from `initial`.
  @discardableResult
  public func update(
    _ name: String, orCreate initial: Body, _ change: @Sendable (inout Body) throws -> Void
  ) async throws -> Entry {
    guard let entry = try await attempts(name, initial, change) else {
      throw DocumentFault(.missing, kind: kind, name: name).error("updating a document")
    }
    return entry
  }

  private func attempts(
    _ name: String, _ initial: Body?, _ change: @Sendable (inout Body) throws -> Void
  ) async throws -> Entry? {
    while true {
      try Task.checkCancellation()
      let document = try await store.get(kind, name)
      guard var body = try document.map(entry)?.body ?? initial else { return nil }
      try change(&body)
      let text = try encode(name, body)
      let write: Write
      if let document {
        if text == document.body { return Entry(name: name, body: body, revision: document.revision) }
        write = .replace(kind, name, text, atRevision: document.revision)
      } else {
        write = .create(kind, name, text)
      }
      do {
        return Entry(name: name, body: body, revision: try await store.commit([write]))
      } catch let error where error.isDocumentStale || error.isDocumentExists || error.isDocumentMissing {
        // Somebody else was first: again, with what is there now.
        continue
      }
    }
  }
}

// Parts of a commit that spans several documents.
extension DocumentCollection {
  public func creating(_ name: String, _ body: Body) throws -> Write {
    .create(kind, name, try encode(name, body))
  }

  public func replacing(_ name: String, _ body: Body, atRevision: Int64) throws -> Write {
    .replace(kind, name, try encode(name, body), atRevision: atRevision)
  }

  public func replacing(_ entry: Entry) throws -> Write {
    try replacing(entry.name, entry.body, atRevision: entry.revision)
  }

  public func writing(_ name: String, _ body: Body) throws -> Write {
    .put(kind, name, try encode(name, body))
  }

  public func deleting(_ name: String, atRevision: Int64? = nil) -> Write {
    .delete(kind, name, atRevision: atRevision)
  }
}

extension DocumentCollection {
  func entry(_ document: Document) throws -> Entry {
    let (name, revision) = (document.name, document.revision)
    let body =
      try decoded?.body(name, revision) { try decode(name, document.body, revision) }
      ?? decode(name, document.body, revision)
    return Entry(name: name, body: body, revision: revision)
  }

  func decode(_ name: String, _ body: [UInt8], _ revision: Int64) throws -> Body {
    var value: Body
    do {
      value = try JSONDecoder().decode(Body.self, from: Data(body))
    } catch {
      throw DroverError(.corrupt, "reading \(kind) '\(name)' at revision \(revision)", cause: error)
    }
    for secret in secrets { try secret.open(&value, kind, name, store.seal) }
    return value
  }

  private func encode(_ name: String, _ body: Body) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var body = body
    if let keys = store.seal { for secret in secrets { try secret.seal(&body, kind, name, keys) } }
    do {
      return Array(try encoder.encode(body))
    } catch {
      throw DroverError(.invalid, "writing \(kind) '\(name)' as JSON", cause: error)
    }
  }
}
