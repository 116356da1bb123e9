/// A stored document: a JSON text under a kind and a name, with the revision of its last change.
public struct Document: Sendable, Hashable {
  /// What it is: `deployment`, `instance`, `lease`, …
  public let kind: String
  /// Its name among its kind.
  public let name: String
  /// JSON text.
  public let body: [UInt8]
  /// The revision of the change that made it what it is; increasing over the whole store.
  public let revision: Int64

  public init(kind: String, name: String, body: [UInt8], revision: Int64) {
    self.kind = kind
    self.name = name
    self.body = body
    self.revision = revision
  }
}

/// What a listing found, and as of when: watching from ``revision`` misses nothing and repeats nothing.
public struct DocumentListing: Sendable {
  /// In the byte order of their names.
  public let documents: [Document]
  /// The revision of the whole store that the listing shows.
  public let revision: Int64

  public init(documents: [Document], revision: Int64) {
    self.documents = documents
    self.revision = revision
  }
}

/// One change of one document.
public struct DocumentChange: Sendable, Hashable {
  public let kind: String
  public let name: String
  /// The body from now on; nil when the document was deleted.
  public let body: [UInt8]?
  /// Every change has a revision of its own, one higher than the change before it.
  public let revision: Int64

  public init(kind: String, name: String, body: [UInt8]?, revision: Int64) {
    self.kind = kind
    self.name = name
    self.body = body
    self.revision = revision
  }
}
