import Formats
import GoConventions
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
    let fields = try ConfigurationFields(document, path: [], structure: "BoskosConfig", whole: "common.BoskosConfig")
    guard let list = fields["resources"], !list.isNull else { return PoolsConfiguration() }
    guard let items = list.array else {
      throw fields.mismatch(list, "resources", "[]common.ResourceEntry")
    }
    var configuration = PoolsConfiguration(try items.enumerated().map { try Entry($1, index: $0) })
    switch try fields.text("unique-names") {
    case "", "global": break
    case "per-type": configuration.namesAreUniquePerType = true
    case let other: throw malformed("unique-names: expected global or per-type, found \(GoText.quoted(other))")
    }
    return configuration
  }

  /// What the original says when a document does not have the form that it should.
  static func malformed(_ text: String) -> DroverError {
    DroverError(.invalid, "error unmarshaling JSON: while decoding JSON: \(text)")
  }
}

extension PoolsConfiguration.Entry {
  fileprivate init(_ value: Value, index: Int) throws {
    let fields = try ConfigurationFields(
      value, path: ["resources"], structure: "ResourceEntry", whole: "common.ResourceEntry")
    self.init(
      type: try fields.text("type"), state: try fields.text("state"), names: try Self.names(fields),
      minimum: try fields.int("min-count"), maximum: try fields.int("max-count"),
      lifespan: try Self.lifespan(fields), needs: try Self.needs(fields), construction: try Self.construction(fields),
      policy: try TypePolicy(fields, at: ".\(index)"))
  }

  /// A list of names, or, beyond the original, `{prefix: account-, count: 50}` for account-1 … account-50.
  private static func names(_ fields: ConfigurationFields) throws -> [String] {
    switch fields["names"] {
    case nil, .null: return []
    case .array(let items):
      return try items.map { item in
        guard let text = ConfigurationFields.text(item) else { throw fields.mismatch(item, "names", "string") }
        return text
      }
    case .some(.object(let object)):
      guard object.keys.sorted() == ["count", "prefix"],
        let prefix = object["prefix"].flatMap(ConfigurationFields.text),
        let count = object["count"]?.int, (1...PoolsConfiguration.mostNames).contains(count)
      else {
        throw PoolsConfiguration.malformed(
          "names: expected a list, or a prefix and a count from 1 to \(PoolsConfiguration.mostNames)")
      }
      return (1...count).map { "\(prefix)\($0)" }
    case .some(let other): throw fields.mismatch(other, "names", "[]string")
    }
  }

  private static func lifespan(_ fields: ConfigurationFields) throws -> Duration? {
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
      throw PoolsConfiguration.malformed(
        "json: cannot unmarshal \(ConfigurationFields.kind(other)) into Go value of type int64")
    }
  }

  private static func needs(_ fields: ConfigurationFields) throws -> [String: Int] {
    guard let value = fields["needs"], !value.isNull else { return [:] }
    guard let object = value.object else { throw fields.mismatch(value, "needs", "common.ResourceNeeds") }
    var needs: [String: Int] = [:]
    for (type, count) in object {
      guard let number = count.int else { throw fields.mismatch(count, "needs.\(type)", "int") }
      needs[type] = number
    }
    return needs
  }

  private static func construction(_ fields: ConfigurationFields) throws -> LifeCycle.Construction? {
    guard let value = fields["config"], !value.isNull else { return nil }
    let inner = try ConfigurationFields(
      value, path: ["resources", "config"], structure: "ConfigType", whole: "common.ConfigType")
    return .init(type: try inner.text("type"), content: try inner.text("content"))
  }
}
