import Documents
import Formats
import Manifests
import Surroundings

/// Configurations by type and name, each update a new version (reference/director.md A.9).
struct Configs: Sendable {
  let records: Records
  let surroundings: Surroundings

  /// The newest versions, or all of them, newest first.
  func list(type: String? = nil, name: String? = nil, latestOnly: Bool, limit: Int? = nil) async throws
    -> [ConfigRecord]
  {
    let prefix = type.map { type in name.map { "\(type)/\($0)/" } ?? "\(type)/" } ?? ""
    let all = try await records.configs.list(prefix: prefix).map(\.body)
      .filter { $0.deleted != true }.filter { name == nil || $0.name == name }.sorted { $0.id > $1.id }
    guard latestOnly || limit != nil else { return all }
    var seen: [String: Int] = [:]
    return all.filter { config in
      seen["\(config.type)/\(config.name)", default: 0] += 1
      return seen["\(config.type)/\(config.name)", default: 0] <= (latestOnly ? 1 : limit ?? .max)
    }
  }

  func latest(type: String, name: String) async throws -> ConfigRecord? {
    try await list(type: type, name: name, latestOnly: true).first
  }

  /// One version, also of a config that is deleted by now.
  func config(id: Int) async throws -> ConfigRecord {
    guard let config = try await records.configs.list().map(\.body).first(where: { $0.id == id }) else {
      throw DirectorFailure.configNotFound("Config \(id) not found")
    }
    return config
  }

  /// Versions by their ids, oldest first.
  func configs(ids: some Collection<Int>) async throws -> [ConfigRecord] {
    let all = try await records.configs.list().map(\.body)
    return try ids.sorted().map { id in
      guard let config = all.first(where: { $0.id == id }) else {
        throw DirectorFailure.configNotFound("Config \(id) not found")
      }
      return config
    }
  }

  /// What deploys go by: the newest cloud and runtime configs of all names, oldest first.
  func forDeploys() async throws -> [ConfigRecord] {
    try await list(latestOnly: true).filter { ["cloud", "runtime"].contains($0.type) }.sorted { $0.id < $1.id }
  }

  /// Makes a new version, unless the content is that of the newest one.
  ///
  /// - Parameter expectedLatestID: the version that the caller has seen; 0 for none; nil does not check.
  func update(type: String, name: String, content: String, expectedLatestID: Int? = nil) async throws
    -> ConfigRecord
  {
    try Self.check(type: type, name: name, content: content)
    let latest = try await latest(type: type, name: name)
    if let expectedLatestID, expectedLatestID != latest?.id ?? 0 {
      throw ConfigOutdated(latestID: latest?.id ?? 0, expectedID: expectedLatestID)
    }
    if let latest, latest.content == content { return latest }
    let id = Int(try await records.store.nextNumber("config"))
    let record = ConfigRecord(
      id: id, type: type, name: name, content: content, createdAt: surroundings.now().seconds)
    try await records.configs.create("\(type)/\(name)/\(TaskRecord.documentName(id))", record)
    return record
  }

  /// Deletes all versions: they are not listed any more. Deployments that were made with them can still read them.
  /// Returns whether there were any.
  func delete(type: String, name: String) async throws -> Bool {
    let entries = try await records.configs.list(prefix: "\(type)/\(name)/").filter { $0.body.deleted != true }
    _ = try await records.store.commit(
      try entries.map { entry in
        var config = entry.body
        config.deleted = true
        return try records.configs.writing(entry.name, config)
      })
    return !entries.isEmpty
  }

  private static func check(type: String, name: String, content: String) throws {
    for (what, text) in [("type", type), ("name", name)] {
      guard !text.isEmpty, !text.contains("/"), text.utf8.count <= 200 else {
        throw DroverError(.invalid, "config \(what): expected up to 200 characters without '/', found '\(text)'")
      }
    }
    let value = try YAML.parse(content, file: "\(type) config '\(name)'")
    guard case .object = value else {
      throw DroverError(.invalid, "\(type) config '\(name)': expected a mapping, found \(value.kindName)")
    }
    // What its variables make of it, deploys find out.
    guard Interpolation.names(in: value).isEmpty else { return }
    if type == "cloud" { _ = try CloudConfig([value]) }
    if type == "runtime" { _ = try RuntimeConfig([value], whole: false) }
  }
}

extension ConfigRecord {
  func document() throws -> Value { try YAML.parse(content, file: "\(type) config '\(name)'") }
}

extension Sequence<ConfigRecord> {
  func cloudConfig(_ variables: VariableSet) throws -> CloudConfig {
    try CloudConfig(filter { $0.type == "cloud" }.map { try variables.filled($0.document()) })
  }

  /// What is not meant for a deployment may have variables that it knows nothing of: they stay as they are.
  func runtimeConfig(_ variables: VariableSet) throws -> RuntimeConfig {
    do {
      return try RuntimeConfig(
        filter { $0.type == "runtime" }.map { variables.filledWhereKnown(try $0.document()) })
    } catch {
      let number = (error as? DroverError)?.number
      throw DroverError(.invalid, "reading the runtime configs", cause: error, number: number)
    }
  }
}

/// Somebody else updated the configuration meanwhile.
public struct ConfigOutdated: Error {
  /// 0 for none.
  public let latestID: Int
  public let expectedID: Int
}
