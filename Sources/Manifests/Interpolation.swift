public import Formats

/// Putting values in the place of `((names))` (`reference/director.md B.7`).
///
/// A string that is exactly one `((name))` becomes the value as it is; inside longer strings the value must be a
/// scalar. `((a.b))` walks into `b` of the value of `a`; a leading `!` is ignored. Names in keys are not looked at.
public enum Interpolation {
  /// The names of the variables in a document, without paths, in the order they come.
  public static func names(in value: Value) -> [String] {
    var names: [String] = []
    var seen: Set<String> = []
    visit(value) { reference in
      if seen.insert(reference.name).inserted { names.append(reference.name) }
    }
    return names
  }

  /// The document with all variables replaced.
  ///
  /// - Parameter lookup: The value of a name; nil when there is none.
  /// - Throws: ``DroverError`` with code `notFound` that lists all names that have no value, or `invalid` when a value
  ///   does not fit its place.
  public static func fill(_ value: Value, _ lookup: (String) throws -> Value?) throws -> Value {
    var missing: [String] = []
    let filled = try fill(value, lookup, &missing)
    guard missing.isEmpty else {
      let names = Set(missing).sorted().map { "'\($0)'" }.joined(separator: ", ")
      throw DroverError(.notFound, "variables without a value: \(names)", number: 540002)
    }
    return filled
  }

  /// The document with those variables replaced that have a value which fits its place; the others stand there as before.
  public static func fillKnown(_ value: Value, _ lookup: (String) -> Value?) -> Value {
    switch value {
    case .string(let text):
      var missing: [String] = []
      return (try? fill(text, lookup, &missing)) ?? value
    case .array(let elements): return .array(elements.map { fillKnown($0, lookup) })
    case .object(let object): return .object(ValueObject(object.map { ($0.key, fillKnown($0.value, lookup)) }))
    default: return value
    }
  }

  private static func visit(_ value: Value, _ each: (Reference) -> Void) {
    switch value {
    case .string(let text): pieces(of: text).forEach { if case .reference(let reference) = $0 { each(reference) } }
    case .array(let elements): elements.forEach { visit($0, each) }
    case .object(let object): object.forEach { visit($0.value, each) }
    default: break
    }
  }

  private static func fill(
    _ value: Value, _ lookup: (String) throws -> Value?, _ missing: inout [String]
  ) throws -> Value {
    switch value {
    case .string(let text): return try fill(text, lookup, &missing)
    case .array(let elements): return .array(try elements.map { try fill($0, lookup, &missing) })
    case .object(let object):
      return .object(ValueObject(try object.map { ($0.key, try fill($0.value, lookup, &missing)) }))
    default: return value
    }
  }

  private static func fill(
    _ text: String, _ lookup: (String) throws -> Value?, _ missing: inout [String]
  ) throws -> Value {
    let pieces = pieces(of: text)
    var filled = ""
    for piece in pieces {
      switch piece {
      case .text(let text): filled += text
      case .reference(let reference):
        guard let value = try resolve(reference, lookup) else {
          missing.append(reference.name)
          filled += "((\(reference.text)))"
          continue
        }
        if pieces.count == 1 { return value }
        guard let scalar = value.scalarText else {
          throw DroverError(
            .invalid, "variable '\(reference.name)' is \(value.kindName); inside the text '\(text)' it must be a scalar"
          )
        }
        filled += scalar
      }
    }
    return .string(filled)
  }

  private static func resolve(_ reference: Reference, _ lookup: (String) throws -> Value?) throws -> Value? {
    guard var value = try lookup(reference.name) else { return nil }
    for key in reference.path {
      guard let member = value[key] else {
        throw DroverError(
          .invalid, "variable '\(reference.name)' has no '\(key)', which '((\(reference.text)))' asks for")
      }
      value = member
    }
    return value
  }

  /// What stands between the parentheses.
  private struct Reference {
    let text: String
    let name: String
    let path: [String]

    /// Nil when it is no name: then the parentheses are text.
    init?(_ text: Substring) {
      let name = text.hasPrefix("!") ? text.dropFirst() : text
      guard !name.isEmpty, name.unicodeScalars.allSatisfy(Self.allowed.contains) else { return nil }
      let slash = name.lastIndex(of: "/")
      let last = name[(slash.map { name.index(after: $0) } ?? name.startIndex)...]
      let parts = last.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      guard let first = parts.first, !parts.contains("") else { return nil }
      self.text = String(text)
      self.name = (slash.map { String(name[...$0]) } ?? "") + first
      path = Array(parts.dropFirst())
    }

    private static let allowed = Set(
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./".unicodeScalars)
  }

  private enum Piece {
    case text(String)
    case reference(Reference)
  }

  private static func pieces(of text: String) -> [Piece] {
    guard text.contains("((") else { return [.text(text)] }
    var pieces: [Piece] = []
    var plain = ""
    var rest = text[...]
    while let open = rest.firstRange(of: "((") {
      guard let close = rest[open.upperBound...].firstRange(of: "))") else { break }
      if let reference = Reference(rest[open.upperBound..<close.lowerBound]) {
        plain += rest[..<open.lowerBound]
        if !plain.isEmpty { pieces.append(.text(plain)) }
        plain = ""
        pieces.append(.reference(reference))
        rest = rest[close.upperBound...]
      } else {
        let next = rest.index(after: open.lowerBound)
        plain += rest[..<next]
        rest = rest[next...]
      }
    }
    plain += rest
    if !plain.isEmpty || pieces.isEmpty { pieces.append(.text(plain)) }
    return pieces
  }
}
