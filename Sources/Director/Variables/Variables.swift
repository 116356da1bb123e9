import Certificates
import Documents
import Formats
import Manifests
import Surroundings

/// What values variables have: those that manifests define are made at their first deploy, others are set by people.
struct Variables: Sendable {
  let records: Records
  let director: String
  let secrets: SecretMaking
  let surroundings: Surroundings

  func scope(_ deployment: String) -> VariableScope { VariableScope(director: director, deployment: deployment) }

  func record(_ name: String) async throws -> VariableRecord? {
    try await records.variables.get(try VariableScope.document(name))?.body
  }

  // MARK: What a deployment has

  /// What a deployment was last deployed with. Of a version that is not there any more, the newest one; of a variable that
  /// is gone there is no value.
  func set(of deployment: DeploymentRecord) async throws -> VariableSet {
    var set = VariableSet(scope: scope(deployment.name), ids: deployment.variables)
    for (name, id) in deployment.variables ?? [:] {
      guard let record = try await record(name) else { continue }
      set.values[name] = try record.value(id) ?? record.newest.flatMap { try record.value($0.id) }
    }
    return set
  }

  /// The manifest that a deployment was last deployed from, with those values of its variables that are there; nil before
  /// its first deploy has succeeded.
  func manifest(of record: DeploymentRecord) async throws -> DeploymentManifest? {
    guard let text = record.manifest else { return nil }
    let document = try YAML.parse(text, file: "manifest of '\(record.name)'")
    return try DeploymentManifest(try await set(of: record).filledWhereKnown(document))
  }

  /// A manifest with the newest values of those variables that have one which fits its place.
  func filledByNewest(_ document: Value) async throws -> Value {
    guard let deployment = document["name"]?.string else { return document }
    let names = Interpolation.names(in: document)
    guard !names.isEmpty else { return document }
    var set = VariableSet(scope: scope(deployment), ids: [:])
    for name in names { try await take(set.scope.full(name), &set) }
    return set.filledWhereKnown(document)
  }

  // MARK: What a deploy needs

  /// What is to be deployed, as far as variables are concerned.
  struct Wish: Sendable {
    var scope: VariableScope
    /// In which names may stand.
    var documents: [Value]
    var definitions: [VariableDefinition]
    /// Whether a definition that has changed makes a new value, unless it says itself what it does.
    var converges = false
    /// Nothing is written down.
    var isDry = false
  }

  /// Decides which values a deploy goes by; makes those that are missing, or are to be made anew.
  func settle(_ wish: Wish) async throws -> VariableSet {
    while true {
      do { return try await settleOnce(wish) } catch is Overtaken { try Task.checkCancellation() }
    }
  }

  /// Somebody else has made another value meanwhile, which does not go with the rest.
  private struct Overtaken: Error {}

  private func settleOnce(_ wish: Wish) async throws -> VariableSet {
    var set = VariableSet(scope: wish.scope, ids: [:])
    for definition in try wish.ordered() {
      try definition.refuseUnsupported()
      let name = wish.scope.full(definition.name)
      let options = try await filled(definition.options, &set)
      let known = try await record(name)
      let authority = SecretMaker.authority(type: definition.type, options: options).map(wish.scope.full)
      if let authority { try await take(authority, &set) }
      let signer = authority.flatMap { set.values[$0] }.flatMap(VariableDefinition.signer)
      if let known, let newest = known.newest, let value = try known.value(newest.id),
        !definition.wantsNew(known, options, signer: signer, converges: wish.converges)
      {
        set.take(name, newest.id, value)
        continue
      }
      let value = try await make(definition, options, authority.flatMap { set.values[$0] }, authority)
      let version = VariableRecord.Version(id: surroundings.identifier(), createdAt: surroundings.now().seconds)
      var record = known ?? VariableRecord(name: name, type: definition.type)
      record.type = definition.type
      record.definition = definition.fingerprint(options)
      record.authority = signer
      try record.add(value, version)
      let kept = wish.isDry ? (version.id, value) : try await keep(record, insteadOf: known?.newest)
      set.take(name, kept.0, kept.1)
    }
    for document in wish.documents {
      for name in Interpolation.names(in: document) { try await take(wish.scope.full(name), &set) }
    }
    return set
  }

  /// The newest value of a variable, if it has one.
  private func take(_ name: String, _ set: inout VariableSet) async throws {
    guard set.values[name] == nil, let record = try await record(name), let newest = record.newest else { return }
    if let value = try record.value(newest.id) { set.take(name, newest.id, value) }
  }

  private func filled(_ options: Value, _ set: inout VariableSet) async throws -> Value {
    for name in Interpolation.names(in: options) { try await take(set.scope.full(name), &set) }
    return try set.filled(options)
  }

  private func make(
    _ definition: VariableDefinition, _ options: Value, _ authority: Value?, _ authorityName: String?
  ) async throws -> Value {
    if let authorityName, authority == nil {
      throw DroverError(
        .notFound,
        "variable '\(definition.name)': its authority '\(authorityName)' has no value; define it under 'variables', too",
        number: 540002)
    }
    guard SecretMaker.types.contains(definition.type) else {
      throw DroverError(
        .invalid,
        "variable '\(definition.name)': no value of type '\(definition.type)' can be made, only of "
          + SecretMaker.types.joined(separator: ", ") + "; set it with 'drover set-variable'")
    }
    return try await secrets(definition.name, definition.type, options, authority)
  }

  /// Writes down a value that was made. Of two deploys that make it at once, one has its way.
  private func keep(
    _ made: VariableRecord, insteadOf last: VariableRecord.Version?
  ) async throws -> (id: String, value: Value) {
    let record = try await records.variables.update(
      try VariableScope.document(made.name), orCreate: VariableRecord(name: made.name, type: made.type)
    ) { record in
      if record.newest == last { record = made }
    }.body
    guard let newest = record.newest, record.authority == made.authority, let value = try record.value(newest.id) else {
      throw Overtaken()
    }
    return (newest.id, value)
  }

  /// Lets go of values that no deployment was deployed with, but for the newest ones and those of the last week.
  func prune(_ names: some Sequence<String>) async throws {
    let since = surroundings.now().seconds - 7 * 86400
    let used = Set(try await records.deployments.list().flatMap { ($0.body.variables ?? [:]).values })
    for name in names {
      guard var record = try await record(name) else { continue }
      let count = record.versions.count
      try record.keep(used, madeSince: since)
      if record.versions.count == count { continue }
      try await records.variables.update(try VariableScope.document(name)) { try $0.keep(used, madeSince: since) }
    }
  }
}
