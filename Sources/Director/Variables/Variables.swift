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

  /// What a deployment was last deployed with.
  func set(of record: DeploymentRecord) async throws -> VariableSet {
    try await set(record.variables, scope(record.name))
  }

  /// The values of those versions. One that is not there any more is the newest one; of a variable that is gone there is no
  /// value.
  func set(_ ids: [String: String]?, _ scope: VariableScope) async throws -> VariableSet {
    var set = VariableSet(scope: scope, ids: ids)
    for (name, id) in ids ?? [:] {
      guard let record = try await record(name) else { continue }
      set.values[name] = try record.value(id) ?? record.newest.flatMap { try record.value($0.id) }
    }
    return set
  }

  /// The manifest that a deployment was last deployed from, with the values of its variables; nil before its first deploy
  /// has succeeded.
  func manifest(of record: DeploymentRecord) async throws -> DeploymentManifest? {
    guard let text = record.manifest else { return nil }
    let document = try YAML.parse(text, file: "manifest of '\(record.name)'")
    return try DeploymentManifest(try await set(of: record).filled(document))
  }

  /// A manifest with the newest values of those variables that have one.
  func filledByNewest(_ document: Value) async throws -> Value {
    let names = Interpolation.names(in: document)
    guard !names.isEmpty, let deployment = document["name"]?.string else { return document }
    var set = VariableSet(scope: scope(deployment), ids: [:])
    for name in names { try await take(set.scope.full(name), &set) }
    return try set.filledWhereKnown(document)
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
    var set = VariableSet(scope: wish.scope, ids: [:])
    var made: Set<String> = []
    for definition in try wish.ordered() {
      try definition.refuseUnsupported()
      let name = wish.scope.full(definition.name)
      let options = try await filled(definition.options, &set)
      let known = try await record(name)
      let authority = SecretMaker.authority(type: definition.type, options: options).map(wish.scope.full)
      if let known, let newest = known.newest, let value = try known.value(newest.id),
        !definition.wantsNew(known, options, converges: wish.converges, authority.map(made.contains) ?? false)
      {
        set.take(name, newest.id, value)
        continue
      }
      if let authority { try await take(authority, &set) }
      let value = try await make(definition, options, authority.flatMap { set.values[$0] }, authority)
      let version = VariableRecord.Version(id: surroundings.identifier(), createdAt: surroundings.now().seconds)
      let kept = wish.isDry ? (version.id, value) : try await keep(name, definition, options, known, value, version)
      made.insert(name)
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
    _ name: String, _ definition: VariableDefinition, _ options: Value, _ known: VariableRecord?, _ value: Value,
    _ version: VariableRecord.Version
  ) async throws -> (id: String, value: Value) {
    let record = try await records.variables.update(
      try VariableScope.document(name), orCreate: VariableRecord(name: name, type: definition.type)
    ) { record in
      guard record.newest == known?.newest else { return }
      record.type = definition.type
      record.definition = definition.text(options)
      try record.add(value, version)
    }.body
    guard let newest = record.newest, let value = try record.value(newest.id) else { return (version.id, value) }
    return (newest.id, value)
  }

  /// Lets go of values that neither is the newest one nor any deployment was deployed with.
  func prune(_ names: some Sequence<String>) async throws {
    let used = Set(try await records.deployments.list().flatMap { ($0.body.variables ?? [:]).values })
    for name in names {
      guard let record = try await record(name), record.versions.count > 1 else { continue }
      try await records.variables.update(try VariableScope.document(name)) { try $0.keep(used) }
    }
  }
}

extension VariableSet {
  mutating func take(_ name: String, _ id: String, _ value: Value) {
    ids?[name] = id
    values[name] = value
  }
}

extension Variables.Wish {
  /// The definitions, each behind its authority and what its options name.
  func ordered() throws -> [VariableDefinition] {
    let byName = Dictionary(definitions.map { (scope.full($0.name), $0) }, uniquingKeysWith: { first, _ in first })
    var done: Set<String> = []
    var ordered: [VariableDefinition] = []
    func visit(_ definition: VariableDefinition, _ path: [String]) throws {
      let name = scope.full(definition.name)
      guard !path.contains(name) else {
        throw DroverError(
          .invalid, "variables: they need each other in a circle: \((path + [name]).joined(separator: " → "))")
      }
      guard done.insert(name).inserted else { return }
      let needed = [SecretMaker.authority(type: definition.type, options: definition.options)].compactMap { $0 }
      for other in (needed + Interpolation.names(in: definition.options)).compactMap({ byName[scope.full($0)] }) {
        try visit(other, path + [name])
      }
      ordered.append(definition)
    }
    for definition in definitions { try visit(definition, []) }
    return ordered
  }
}

extension VariableDefinition {
  func refuseUnsupported() throws {
    if !consumes.isEmpty {
      throw DroverError(
        .unsupported,
        "variable '\(name)': consumes: names of certificates from links are not there yet; give them in "
          + "options.common_name and options.alternative_names")
    }
    if updateStrategy == .onStemcellChange {
      throw DroverError(
        .unsupported, "variable '\(name)': update.strategy: on-stemcell-change is not there yet; leave it out")
    }
  }

  /// Type and options, as they are compared.
  func text(_ options: Value) -> String {
    JSON.text(["type": .string(type), "options": options], JSON.Style(sorted: true))
  }

  /// Whether a new value is to be made although there is one.
  ///
  /// - Parameter hasNewAuthority: that of a certificate has just been made anew.
  func wantsNew(_ known: VariableRecord, _ options: Value, converges: Bool, _ hasNewAuthority: Bool) -> Bool {
    if known.isStale == true { return true }
    // What somebody has set stays.
    guard let definition = known.definition else { return false }
    if hasNewAuthority || updateMode == .overwrite { return true }
    return updateMode ?? (converges ? .converge : .noOverwrite) == .converge && definition != text(options)
  }
}
