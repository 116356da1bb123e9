import Configuration
import Files
import Formats
import Processes

/// The server's configuration file: YAML with the keys below, in sections (`api: {port: 25555}`).
enum ConfigurationFile {
  /// Every key there is, and what it holds.
  private static let keys: [(name: String, kind: Kind)] = [
    ("name", .scalar), ("state", .scalar), ("api.address", .scalar), ("api.port", .scalar), ("api.names", .list),
    ("endpoint.address", .scalar), ("endpoint.nats_port", .scalar), ("endpoint.blob_port", .scalar),
    ("nats.urls", .list), ("nats.ca", .scalar), ("nats.certificate", .scalar), ("nats.key", .scalar),
    ("nats.issuer.certificate", .scalar), ("nats.issuer.key", .scalar), ("nats.authorization_file", .scalar),
    ("nats.reload_command", .scalar), ("pools.resources", .scalar), ("pools.address", .scalar), ("pools.port", .scalar),
    ("pools.health_port", .scalar),
    ("pools.metrics_port", .scalar), ("pools.request_ttl", .scalar), ("pools.reaper_expire", .scalar),
    ("pools.users", .scalar), ("pools.services", .list), ("pools.janitor_pool_size", .scalar),
    ("pools.mason_pool_size", .scalar), ("leases.url", .scalar), ("leases.user", .scalar),
    ("leases.password_file", .scalar),
    ("leases.expire", .scalar), ("users", .list),
    ("seal.key_file", .scalar), ("tasks.keep", .scalar), ("log.level", .scalar),
    ("log.file", .scalar), ("log.size", .scalar), ("log.keep", .scalar),
  ]

  enum Kind { case scalar, list }

  static func read(_ path: String) throws -> [AbsoluteConfigKey: ConfigValue] {
    do {
      return try values(try YAML.parse(try Files.read(path, limit: 1 << 20), file: path))
    } catch {
      throw DroverError(.invalid, "reading the configuration file \(path)", cause: error)
    }
  }

  /// The document's values by key.
  ///
  /// - Throws: `invalid` for a key that there is not, since a misspelt one would be silently without effect, and for a
  ///   value that its key does not take.
  static func values(_ document: Value) throws -> [AbsoluteConfigKey: ConfigValue] {
    var values: [AbsoluteConfigKey: ConfigValue] = [:]
    for (name, value) in try flattened(document, under: "") {
      guard let kind = keys.first(where: { $0.name == name })?.kind else {
        throw DroverError(
          .invalid, "unknown key '\(name)'; there are: \(keys.map(\.name).joined(separator: ", "))")
      }
      let content: ConfigContent
      switch (kind, value) {
      case (_, .null): continue
      case (.scalar, .array), (.scalar, .object):
        throw DroverError(.invalid, "'\(name)': expected a single value, found a list")
      case (.scalar, let value): content = .string(text(value))
      case (.list, .array(let items)): content = .stringArray(items.map(text))
      case (.list, _): throw DroverError(.invalid, "'\(name)': expected a list, found '\(text(value))'")
      }
      values[AbsoluteConfigKey(name.split(separator: ".").map(String.init))] = ConfigValue(
        content, isSecret: name == "users")
    }
    return values
  }

  private static func flattened(_ value: Value, under prefix: String) throws -> [(String, Value)] {
    switch value {
    case .null where prefix.isEmpty: []
    case .object(let object):
      try object.flatMap { try flattened($0.value, under: prefix.isEmpty ? $0.key : "\(prefix).\($0.key)") }
    case let other where !prefix.isEmpty: [(prefix, other)]
    case let other: throw DroverError(.invalid, "expected keys and values, found '\(text(other))'")
    }
  }

  private static func text(_ value: Value) -> String {
    if case .string(let text) = value { text } else { JSON.text(value) }
  }
}
