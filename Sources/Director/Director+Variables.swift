import Certificates
import Documents
public import Formats
import Surroundings

/// Variables, as the API offers them.
extension Director {
  /// Those that a deployment was deployed with: full names and the ids of their versions.
  public func variables(of deployment: String) async throws -> Value {
    let used = try await self.deployment(deployment).variables ?? [:]
    return .array(used.sorted { $0.key < $1.key }.map { ["id": .string($0.value), "name": .string($0.key)] })
  }

  /// All that there are, or those whose full names begin so, without their values.
  public func variablesListing(prefix: String = "") async throws -> Value {
    .array(
      try await records.variables.list(prefix: String(prefix.drop { $0 == "/" })).map { try description(of: $0.body) })
  }

  /// A variable with its newest value.
  public func variable(_ name: String) async throws -> Value {
    guard let record = try await variables.record(name), let newest = record.newest else { throw unknown(name) }
    var description = try description(of: record).object ?? [:]
    description["value"] = try record.value(newest.id) ?? .null
    return .object(description)
  }

  /// Gives a variable a value. Deploys from now on go by it.
  public func setVariable(_ name: String, _ value: Value, type: String) async throws -> Value {
    guard !type.isEmpty, type.utf8.count <= 100 else {
      throw DroverError(.invalid, "variable '\(name)': type: expected up to 100 characters, found '\(type)'")
    }
    let version = VariableRecord.Version(
      id: engines.surroundings.identifier(), createdAt: engines.surroundings.now().seconds)
    let document = try VariableScope.document(name)
    let entry = try await records.variables.update(document, orCreate: VariableRecord(name: name, type: type)) {
      record in
      // The same once more changes nothing.
      if record.definition == nil, record.type == type, record.isStale != true, let newest = record.newest,
        try record.value(newest.id) == value
      {
        return
      }
      record.authority = nil
      record.type = type
      record.definition = nil
      try record.add(value, version)
    }
    try await variables.prune([name])
    return try description(of: entry.body)
  }

  /// Has the next deploy of a manifest that defines it make a new value, also of one that somebody has set.
  public func rotateVariable(_ name: String) async throws -> Value {
    guard try await variables.record(name) != nil else { throw unknown(name) }
    return try description(
      of: await records.variables.update(try VariableScope.document(name)) { $0.isStale = true }.body)
  }

  /// - Throws: `conflict` when a deployment was deployed with it.
  public func deleteVariable(_ name: String) async throws {
    guard let entry = try await records.variables.get(try VariableScope.document(name)) else { throw unknown(name) }
    let deploys = try await tasks.tasks(in: TaskRecord.State.unfinished) { $0.type == "update_deployment" }
    guard deploys.isEmpty else {
      throw DroverError(
        .conflict,
        "variable '\(name)': task \(deploys.map { "\($0.id)" }.joined(separator: ", ")) deploys, perhaps with it; "
          + "try again when that is over")
    }
    let users = try await records.deployments.list().filter { $0.body.variables?[name] != nil }.map(\.name)
    guard users.isEmpty else {
      throw DroverError(
        .conflict,
        "variable '\(name)' is used by \(users.map { "'\($0)'" }.joined(separator: ", ")); deploy without it before, or "
          + "have a new value made by 'drover rotate-variable'")
    }
    try await records.variables.delete(entry.name, atRevision: entry.revision)
  }

  private func unknown(_ name: String) -> DroverError { DroverError(.notFound, "There is no variable '\(name)'") }

  /// What is told of a variable without its value.
  private func description(of record: VariableRecord) throws -> Value {
    var description: ValueObject = [
      "name": .string(record.name), "type": .string(record.type), "id": Value(record.newest?.id),
      "created_at": Value(record.newest.map { Timestamp(seconds: $0.createdAt).text }),
      "set_by_hand": .bool(record.definition == nil), "rotates": .bool(record.isStale == true),
      "versions": .int(record.versions.count),
    ]
    if let newest = record.newest, let pem = try record.value(newest.id)?["certificate"]?.string,
      let end = try? CertificateExpiry(path: record.name, pem: pem, now: engines.surroundings.now())
    {
      description["expires_at"] = .string(end.expiry.text)
    }
    return .object(description)
  }
}
