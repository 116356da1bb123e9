import Formats

/// The members of an object, whatever the case of their names.
struct ConfigurationFields {
  let members: [String: Value]
  private let path: [String]
  private let structure: String

  init(_ value: Value, path: [String], structure: String, whole: String) throws {
    self.path = path
    self.structure = structure
    guard !value.isNull else {
      members = [:]
      return
    }
    guard let object = value.object else {
      throw PoolsConfiguration.malformed("json: cannot unmarshal \(Self.kind(value)) into Go value of type \(whole)")
    }
    members = Dictionary(object.map { ($0.key.lowercased(), $0.value) }, uniquingKeysWith: { $1 })
  }

  subscript(name: String) -> Value? { members[name] }

  static func kind(_ value: Value) -> String {
    switch value {
    case .null: "null"
    case .bool: "bool"
    case .int: "number"
    case .double(let number): "number \(number)"
    case .string: "string"
    case .array: "array"
    case .object: "object"
    }
  }

  func mismatch(_ value: Value, _ name: String, _ wanted: String) -> DroverError {
    PoolsConfiguration.malformed(
      "json: cannot unmarshal \(Self.kind(value)) into Go struct field "
        + "\(structure).\((path + [name]).joined(separator: ".")) of type \(wanted)")
  }

  func text(_ name: String) throws -> String {
    guard let value = self[name] else { return "" }
    guard let text = Self.text(value) else { throw mismatch(value, name, "string") }
    return text
  }

  func int(_ name: String) throws -> Int {
    switch self[name] {
    case nil, .null: return 0
    case .int(let number): return number
    case .some(let value): throw mismatch(value, name, "int")
    }
  }

  /// A scalar where a string is wanted: numbers and booleans as they print.
  static func text(_ value: Value) -> String? {
    switch value {
    case .null: ""
    case .string(let text): text
    case .int(let number): String(number)
    case .bool(let flag): flag ? "true" : "false"
    case .double(let number): JSON.text(.double(number)).replacingSuffix(".0", with: "")
    case .array, .object: nil
    }
  }
}

extension String {
  fileprivate func replacingSuffix(_ suffix: String, with other: String) -> String {
    hasSuffix(suffix) ? dropLast(suffix.count) + other : self
  }
}
