import Formats

extension FieldReader {
  /// One of an enumeration's words; nil when absent.
  func optionalChoice<T: RawRepresentable & CaseIterable>(_ name: String) throws -> T? where T.RawValue == String {
    guard let text = try optionalString(name) else { return nil }
    guard let choice = T(rawValue: text) else {
      let allowed = T.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
      throw error(name, "expected one of \(allowed), found '\(text)'")
    }
    return choice
  }

  /// A name: not empty, no slash, no blanks at the ends, no control characters.
  func identifier(_ field: String) throws -> String {
    guard let name = try optionalScalarText(field) else { throw error(field, "missing; expected a string") }
    guard !name.isEmpty, name.utf8.count <= 255, name == name.trimmed,
      !name.unicodeScalars.contains(where: { $0 == "/" || $0.value < 0x20 || $0.value == 0x7F })
    else { throw error(field, "expected a name without slashes and control characters, found '\(name)'") }
    return name
  }

  /// A whole number that is not negative; nil when absent.
  func optionalCount(_ field: String) throws -> Int? {
    guard let value = value(field) else { return nil }
    guard let number = value.int ?? value.string.flatMap({ Int($0) }) else {
      throw error(field, "expected an integer, found \(value.kindName)")
    }
    guard (0...Self.largestCount).contains(number) else {
      throw error(field, "expected an integer from 0 to \(Self.largestCount), found \(number)")
    }
    return number
  }

  private static var largestCount: Int { 1_000_000_000 }

  /// Names to scalars, as text; absent is empty.
  func texts(_ field: String) throws -> [String: String] {
    var texts: [String: String] = [:]
    for (name, value) in try optionalObject(field) ?? [:] {
      guard let text = value.scalarText else {
        throw error("\(field).\(name)", "expected a string, found \(value.kindName)")
      }
      texts[name] = text
    }
    return texts
  }

  /// Throws when two elements of a list have the same name.
  func requireUnique(_ names: some Sequence<String>, in field: String, number: Int? = nil) throws {
    var seen: Set<String> = []
    for name in names where !seen.insert(name).inserted {
      throw DroverError(
        .invalid, "\(place(field)): the name '\(name)' is there twice; names must be unique", number: number)
    }
  }
}
