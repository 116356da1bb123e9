public import Formats

/// Why a store refused: the condition that did not hold, and of which document.
///
/// Stores throw it as the cause of a `DroverError`; ``Formats/DroverError/documentFault`` finds it again.
public struct DocumentFault: Error, Sendable, Hashable, CustomStringConvertible {
  public enum Reason: Sendable, Hashable {
    /// It was to be made, and exists.
    case exists
    /// It changed meanwhile: it is not at the revision that the writer had read.
    case stale(expected: Int64)
    /// There is no such document.
    case missing
    /// The history from that revision on is no longer kept: list again, and watch from the listing's revision.
    case forgotten
  }

  public let reason: Reason
  public let kind: String
  public let name: String
  /// The revision it is at, nil when it does not exist.
  public let found: Int64?

  public init(_ reason: Reason, kind: String, name: String, found: Int64? = nil) {
    self.reason = reason
    self.kind = kind
    self.name = name
    self.found = found
  }

  public var description: String {
    switch reason {
    case .exists: "\(kind) '\(name)' exists already"
    case .stale(let expected):
      "\(kind) '\(name)' was changed meanwhile (expected revision \(expected), found \(found ?? 0))"
    case .missing: "\(kind) '\(name)' does not exist"
    case .forgotten: "changes as old as that are no longer kept; list again and watch from there"
    }
  }

  /// As stores throw it: `notFound` when the document is missing, `conflict` otherwise.
  func error(_ message: String) -> DroverError {
    DroverError(reason == .missing ? .notFound : .conflict, message, cause: self)
  }
}

extension DroverError {
  /// The reason of a document store's refusal, nil when the error is about something else.
  public var documentFault: DocumentFault? {
    if let fault = cause as? DocumentFault { return fault }
    return (cause as? DroverError)?.documentFault
  }
}

extension Error {
  /// Whether a document was to be made and exists.
  public var isDocumentExists: Bool { fault?.reason == .exists }
  /// Whether a document is not there.
  public var isDocumentMissing: Bool { fault?.reason == .missing }
  /// Whether a document changed between reading and writing it.
  public var isDocumentStale: Bool {
    if case .stale = fault?.reason { return true }
    return false
  }
  /// Whether a watch asked for changes that are no longer kept.
  public var isHistoryForgotten: Bool { fault?.reason == .forgotten }

  private var fault: DocumentFault? { (self as? DocumentFault) ?? (self as? DroverError)?.documentFault }
}
