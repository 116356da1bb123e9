/// Reads the members of an object and knows where in the document it is, so that every error names the field, what was
/// found there and what is allowed.
///
/// ```swift
/// let group = try FieldReader(value, at: "instance_groups[0]")
/// let name = try group.string("name")            // throws "instance_groups[0].name: missing; expected a string"
/// let count = try group.optionalInt("instances") ?? 1
/// ```
public struct FieldReader: Sendable {
  /// Where this object is in its document, such as `instance_groups[0].jobs[1]`; empty at the top.
  public let path: String
  public let object: ValueObject

  /// - Throws: ``DroverError`` with code `invalid` when the value is not an object.
  public init(_ value: Value, at path: String = "") throws {
    guard case .object(let object) = value else {
      throw DroverError(.invalid, "\(path.isEmpty ? "document" : path): expected an object, found \(value.kindName)")
    }
    self.path = path
    self.object = object
  }

  /// The full name of a member, for messages.
  public func place(_ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  /// The member, or nil when it is absent or null.
  public func value(_ name: String) -> Value? {
    guard let value = object[name], !value.isNull else { return nil }
    return value
  }

  /// An error about a member of this object.
  public func error(_ name: String, _ text: String) -> DroverError {
    DroverError(.invalid, "\(place(name)): \(text)")
  }

  private func required<T>(_ name: String, _ expected: String, _ value: T?) throws -> T {
    guard let value else { throw error(name, "missing; expected \(expected)") }
    return value
  }

  private func convert<T>(_ name: String, _ expected: String, _ read: (Value) -> T?) throws -> T? {
    guard let value = value(name) else { return nil }
    guard let converted = read(value) else { throw error(name, "expected \(expected), found \(value.kindName)") }
    return converted
  }

  public func optionalString(_ name: String) throws -> String? { try convert(name, "a string", \.string) }
  public func string(_ name: String) throws -> String {
    try required(name, "a string", optionalString(name))
  }

  /// A string, or a number or boolean written in its shortest form: versions are often written unquoted.
  public func optionalScalarText(_ name: String) throws -> String? { try convert(name, "a string", \.scalarText) }
  public func scalarText(_ name: String) throws -> String {
    try required(name, "a string", optionalScalarText(name))
  }

  public func optionalInt(_ name: String) throws -> Int? { try convert(name, "an integer", \.int) }
  /// An integer of at least one; nil when absent.
  public func optionalPositiveInt(_ name: String) throws -> Int? {
    guard let count = try optionalInt(name) else { return nil }
    guard count > 0 else { throw error(name, "expected at least 1, found \(count)") }
    return count
  }
  public func int(_ name: String) throws -> Int { try required(name, "an integer", optionalInt(name)) }
  public func optionalDouble(_ name: String) throws -> Double? { try convert(name, "a number", \.double) }
  public func optionalBool(_ name: String) throws -> Bool? { try convert(name, "true or false", \.bool) }
  public func optionalArray(_ name: String) throws -> [Value]? { try convert(name, "an array", \.array) }
  public func array(_ name: String) throws -> [Value] { try required(name, "an array", optionalArray(name)) }
  public func optionalObject(_ name: String) throws -> ValueObject? { try convert(name, "an object", \.object) }

  /// An array of strings; absent is empty.
  public func strings(_ name: String) throws -> [String] {
    try (optionalArray(name) ?? []).enumerated().map { index, value in
      guard let text = value.scalarText else {
        throw error("\(name)[\(index)]", "expected a string, found \(value.kindName)")
      }
      return text
    }
  }

  /// A nested object; nil when absent.
  public func optionalReader(_ name: String) throws -> FieldReader? {
    try value(name).map { try FieldReader($0, at: place(name)) }
  }

  /// A nested object.
  public func reader(_ name: String) throws -> FieldReader {
    try required(name, "an object", optionalReader(name))
  }

  /// An array of objects; absent is empty.
  public func readers(_ name: String) throws -> [FieldReader] {
    try (optionalArray(name) ?? []).enumerated().map { index, value in
      try FieldReader(value, at: "\(place(name))[\(index)]")
    }
  }

  /// - Throws: when the object has a member that is not one of these, naming it and them.
  public func allowOnly(_ names: Set<String>) throws {
    for name in object.keys where !names.contains(name) {
      throw error(name, "unknown key; allowed here: \(names.sorted().joined(separator: ", "))")
    }
  }
}

extension Value {
  /// The text of a string, or of a number or boolean in its shortest form; nil for anything else.
  public var scalarText: String? {
    switch self {
    case .string(let text): text
    case .int(let number): String(number)
    case .double(let number): JSON.text(of: number)
    case .bool(let flag): String(flag)
    default: nil
    }
  }
}
