/// One part of an atomic ``DocumentStore/commit(_:)``.
public struct Write: Sendable, Hashable {
  /// What is done, and on which condition.
  public enum Action: Sendable, Hashable {
    /// Makes the document; it must not exist.
    case create([UInt8])
    /// Gives it a new body; it must exist at this revision.
    case replace([UInt8], atRevision: Int64)
    /// Gives it this body, whether it exists or not.
    case put([UInt8])
    /// Deletes it. With a revision it must exist at that revision; without one, a document that is not there is fine.
    case delete(atRevision: Int64?)
    /// Changes nothing; the document must exist at this revision, or must not exist when it is nil.
    case require(atRevision: Int64?)
  }

  public let kind: String
  public let name: String
  public let action: Action

  public init(kind: String, name: String, _ action: Action) {
    self.kind = kind
    self.name = name
    self.action = action
  }

  public static func create(_ kind: String, _ name: String, _ body: [UInt8]) -> Write {
    Write(kind: kind, name: name, .create(body))
  }

  public static func replace(_ kind: String, _ name: String, _ body: [UInt8], atRevision: Int64) -> Write {
    Write(kind: kind, name: name, .replace(body, atRevision: atRevision))
  }

  public static func put(_ kind: String, _ name: String, _ body: [UInt8]) -> Write {
    Write(kind: kind, name: name, .put(body))
  }

  public static func delete(_ kind: String, _ name: String, atRevision: Int64? = nil) -> Write {
    Write(kind: kind, name: name, .delete(atRevision: atRevision))
  }

  public static func require(_ kind: String, _ name: String, atRevision: Int64?) -> Write {
    Write(kind: kind, name: name, .require(atRevision: atRevision))
  }
}

extension Write {
  /// What a write does to a document.
  enum Effect: Equatable {
    case nothing
    case set([UInt8])
    case remove
  }

  /// Decides what this write does to a document that is at `current`, nil when there is none.
  ///
  /// Throws a ``DocumentFault`` when the write's condition does not hold.
  func effect(on current: Int64?) throws(DocumentFault) -> Effect {
    switch action {
    case .create(let body):
      if let current { throw fault(.exists, current) }
      return .set(body)
    case .replace(let body, let expected):
      try check(expected, current)
      return .set(body)
    case .put(let body):
      return .set(body)
    case .delete(nil):
      return current == nil ? .nothing : .remove
    case .delete(let expected?):
      try check(expected, current)
      return .remove
    case .require(nil):
      if let current { throw fault(.exists, current) }
      return .nothing
    case .require(let expected?):
      try check(expected, current)
      return .nothing
    }
  }

  private func check(_ expected: Int64, _ current: Int64?) throws(DocumentFault) {
    guard let current else { throw fault(.missing, nil) }
    if current != expected { throw fault(.stale(expected: expected), current) }
  }

  private func fault(_ reason: DocumentFault.Reason, _ found: Int64?) -> DocumentFault {
    DocumentFault(reason, kind: kind, name: name, found: found)
  }
}
