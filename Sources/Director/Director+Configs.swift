public import Formats
import Manifests
import Surroundings

/// Configurations, as the API offers them (reference/director.md A.9).
extension Director {
  var configStore: Configs { Configs(records: records, surroundings: engines.surroundings) }

  public func configs(type: String?, name: String?, latestOnly: Bool, limit: Int? = nil) async throws
    -> [ConfigRecord]
  {
    try await configStore.list(type: type, name: name, latestOnly: latestOnly, limit: limit)
  }

  public func config(id: Int) async throws -> ConfigRecord { try await configStore.config(id: id) }

  /// - Throws: ``ConfigOutdated`` when the newest version is not the one that the caller has seen.
  public func updateConfig(
    type: String, name: String, content: String, expectedLatestID: Int? = nil
  ) async throws -> ConfigRecord {
    try await configStore.update(type: type, name: name, content: content, expectedLatestID: expectedLatestID)
  }

  /// Returns whether there was one.
  public func deleteConfig(type: String, name: String) async throws -> Bool {
    try await configStore.delete(type: type, name: name)
  }

  /// Lines that differ, as the CLI prints them.
  public func configDifference(from old: String?, to new: String) throws -> Value {
    ManifestDiff.value(
      ManifestDiff.lines(
        from: try old.map { try YAML.parse($0, file: "old config") } ?? [:],
        to: try YAML.parse(new, file: "new config"), redact: false))
  }
}

extension ConfigRecord {
  /// When it was made, as the CLI reads it.
  public var createdAtText: String { Timestamp(seconds: createdAt).text }
}
