/// Where a sealed text stands: one that was moved to another place does not open there.
public struct SealPlace: Sendable, Hashable, CustomStringConvertible {
  /// Which kind of thing it is part of: `task`.
  public let kind: String
  /// The name of the thing.
  public let name: String
  /// Which of its fields it is; empty for all of it.
  public let field: String

  public init(kind: String, name: String, field: String = "") {
    self.kind = kind
    self.name = name
    self.field = field
  }

  public var description: String { field.isEmpty ? "\(kind) '\(name)'" : "'\(field)' of \(kind) '\(name)'" }

  /// No two places have the same bytes, whatever their names have in them.
  var bytes: [UInt8] {
    [kind, name, field].flatMap { part in
      let length = UInt64(part.utf8.count)
      return (0..<8).map { UInt8(truncatingIfNeeded: length >> ($0 * 8)) } + Array(part.utf8)
    }
  }
}
