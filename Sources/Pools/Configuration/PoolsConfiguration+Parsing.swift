import Formats
import PoolsProtocol

extension PoolsConfiguration {
  /// More names than this are refused.
  static let mostNames = 4_000_000

  /// Reads without checking.
  static func parse(_ text: [UInt8]) throws -> PoolsConfiguration {
    let document: Value
    do {
      document = try YAML.parse(
        text, file: "config", options: .init(maximumBytes: 256 << 20, maximumNodes: mostNames + 100_000))
    } catch {
      throw DroverError(.invalid, "error converting YAML to JSON: yaml: \(error)")
    }
    guard !document.isNull else { return PoolsConfiguration() }
    let fields = try Fields(document, path: [], structure: "BoskosConfig", whole: "common.BoskosConfig")
    guard let list = fields["resources"], !list.isNull else { return PoolsConfiguration() }
    guard let items = list.array else {
      throw fields.mismatch(list, "resources", "[]common.ResourceEntry")
    }
    return PoolsConfiguration(try items.map(Entry.init))
  }

  /// What the original says when a document does not have the form that it should.
  static func malformed(_ text: String) -> DroverError {
    DroverError(.invalid, "error unmarshaling JSON: while decoding JSON: \(text)")
  }
}

/// The members of an object, whatever the case of their names.
private struct Fields {
  private let members: [String: Value]
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

extension PoolsConfiguration.Entry {
  fileprivate init(_ value: Value) throws {
    let fields = try Fields(
      value, path: ["resources"], structure: "ResourceEntry", whole: "common.ResourceEntry")
    self.init(
      type: try fields.text("type"), state: try fields.text("state"), names: try Self.names(fields),
      minimum: try fields.int("min-count"), maximum: try fields.int("max-count"),
      lifespan: try Self.lifespan(fields), needs: try Self.needs(fields), construction: try Self.construction(fields))
  }

  /// A list of names, or, beyond the original, `{prefix: account-, count: 50}` for account-1 … account-50.
  private static func names(_ fields: Fields) throws -> [String] {
    switch fields["names"] {
    case nil, .null: return []
    case .array(let items):
      return try items.map { item in
        guard let text = Fields.text(item) else { throw fields.mismatch(item, "names", "string") }
        return text
      }
    case .some(.object(let object)):
      guard object.keys.sorted() == ["count", "prefix"], let prefix = object["prefix"].flatMap(Fields.text),
        let count = object["count"]?.int, (1...PoolsConfiguration.mostNames).contains(count)
      else {
        throw PoolsConfiguration.malformed(
          "names: expected a list, or a prefix and a count from 1 to \(PoolsConfiguration.mostNames)")
      }
      return (1...count).map { "\(prefix)\($0)" }
    case .some(let other): throw fields.mismatch(other, "names", "[]string")
    }
  }

  private static func lifespan(_ fields: Fields) throws -> Duration? {
    switch fields["lifespan"] {
    case nil, .null: return nil
    case .int(let nanoseconds): return .nanoseconds(Int64(nanoseconds))
    case .string(let text):
      do {
        return try GoDuration.parse(text)
      } catch {
        throw PoolsConfiguration.malformed("\(error)")
      }
    case .some(let other):
      throw PoolsConfiguration.malformed("json: cannot unmarshal \(Fields.kind(other)) into Go value of type int64")
    }
  }

  private static func needs(_ fields: Fields) throws -> [String: Int] {
    guard let value = fields["needs"], !value.isNull else { return [:] }
    guard let object = value.object else { throw fields.mismatch(value, "needs", "common.ResourceNeeds") }
    var needs: [String: Int] = [:]
    for (type, count) in object {
      guard let number = count.int else { throw fields.mismatch(count, "needs.\(type)", "int") }
      needs[type] = number
    }
    return needs
  }

  private static func construction(_ fields: Fields) throws -> LifeCycle.Construction? {
    guard let value = fields["config"], !value.isNull else { return nil }
    let inner = try Fields(
      value, path: ["resources", "config"], structure: "ConfigType", whole: "common.ConfigType")
    return .init(type: try inner.text("type"), content: try inner.text("content"))
  }
}
