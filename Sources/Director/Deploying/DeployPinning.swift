import Documents
import Formats
import Manifests
import Surroundings

/// Decides what a deploy is decided from, once: a server that takes it up again goes by the same (design D7).
struct DeployPinning: Sendable {
  let director: Director
  let context: TaskContext
  let order: DeployOrder
  /// Of the deployment.
  let name: String

  private var records: Records { director.records }

  func inputs() async throws -> PinnedInputs { try await context.once("inputs") { try await pin() } }

  /// The order as it is carried out: a change of states deploys what was deployed last, when its turn comes.
  func settledOrder() async throws -> DeployOrder {
    guard order.keepsVersions == true else { return order }
    var settled = order
    settled.manifest = try await context.once("manifest") {
      try await director.deployment(name).manifest ?? order.manifest
    }
    return settled
  }

  /// The values of the variables in a manifest and the configs that it is deployed with. Those that the manifest or a
  /// runtime config defines and that have none are made; a dry run makes them for itself.
  func variables(_ manifest: Value, _ inputs: PinnedInputs) async throws -> VariableSet {
    let variables = director.variables
    // Begun by a server from before there were variables.
    guard inputs.hasVariables == true else { return VariableSet(scope: variables.scope(name), ids: nil) }
    if order.keepsVersions == true {
      let pinned = try await context.once("values of variables") {
        PinnedVariables(try await variables.set(of: try await director.deployment(name)))
      }
      return try pinned.set(variables.scope(name))
    }
    let wish = try await wish(manifest, try await director.configStore.configs(ids: inputs.configIDs))
    if order.dryRun { return try await variables.settle(wish) }
    return try await context.once("values of variables") { PinnedVariables(try await variables.settle(wish)) }.set(
      wish.scope)
  }

  private func wish(_ manifest: Value, _ configs: [ConfigRecord]) async throws -> Variables.Wish {
    let scope = director.variables.scope(name)
    let cloud = try configs.filter { $0.type == "cloud" }.map { try $0.document() }
    let runtime = try configs.filter { $0.type == "runtime" }.map { try Self.applicable(try $0.document(), to: name) }
    let documents = [manifest] + cloud + runtime
    // Of what runtime configs define, that which this deployment has a use for.
    var definitions = try VariableDefinition.all(in: manifest)
    var left = try runtime.flatMap { try VariableDefinition.all(in: $0) }
    var used = Set(documents.map(Self.withoutDefinitions).flatMap { Interpolation.names(in: $0) }.map(scope.full))
    for definition in definitions { used.formUnion(definition.needs.map(scope.full)) }
    while let index = left.firstIndex(where: { used.contains(scope.full($0.name)) }) {
      let definition = left.remove(at: index)
      used.formUnion(definition.needs.map(scope.full))
      if !definitions.contains(where: { scope.full($0.name) == scope.full(definition.name) }) {
        definitions.append(definition)
      }
    }
    return Variables.Wish(
      scope: scope, documents: documents.map(Self.withoutDefinitions), definitions: definitions,
      converges: manifest["features"]?["converge_variables"]?.bool == true, isDry: order.dryRun)
  }

  private static func withoutDefinitions(_ document: Value) -> Value {
    guard var object = document.object else { return document }
    object["variables"] = nil
    return .object(object)
  }

  /// A runtime config without the addons that are for other deployments.
  private static func applicable(_ document: Value, to name: String) throws -> Value {
    guard var object = document.object, let addons = object["addons"]?.array else { return document }
    object["addons"] = .array(
      addons.filter { addon in
        if let only = addon["include"]?["deployments"]?.array, !only.contains(.string(name)) { return false }
        // What is excluded has all that the filter says: by the deployment alone, only when it says nothing else.
        guard let excluded = addon["exclude"]?.object, excluded.count == 1 else { return true }
        return excluded["deployments"]?.array?.contains(.string(name)) != true
      })
    return .object(object)
  }

  private func pin() async throws -> PinnedInputs {
    var unresponsive: Set<String> = []
    if order.fix {
      let instances = try await records.instances(of: name).filter {
        $0.vm != nil && (order.onlyInstance ?? $0.id) == $0.id
      }
      let answers = try await inParallel(instances, atMost: 32) { instance in
        guard let vm = instance.vm else { return (instance.id, true) }
        return (instance.id, (try? await director.client(vm.agentID).state(timeout: .seconds(5))) != nil)
      }
      unresponsive = Set(answers.filter { !$0.1 }.map(\.0))
    }
    if order.keepsVersions == true {
      let deployed = try await director.deployment(name)
      return PinnedInputs(
        configIDs: deployed.configIDs, releases: deployed.releases, stemcells: deployed.stemcells,
        unresponsive: unresponsive, hasVariables: true)
    }
    let configIDs: [Int]
    if let asked = order.configIDs {
      configIDs = asked
    } else {
      configIDs = try await director.configStore.forDeploys().map(\.id)
    }
    return PinnedInputs(
      configIDs: configIDs, releases: try await records.releases.list().map(\.name),
      stemcells: try await records.stemcells.list().map(\.name), unresponsive: unresponsive, hasVariables: true)
  }
}

extension ResolvedDeployment {
  /// - Throws: `notFound` when something in a runtime config that this deployment uses has a variable without a value. What
  ///   it does not use may have any.
  func refuseUnknownVariables(of configs: [ConfigRecord], _ variables: VariableSet) throws {
    guard variables.ids != nil else { return }
    var unknown: Set<String> = []
    for config in configs where config.type == "runtime" {
      unknown.formUnion(
        Interpolation.names(in: try config.document()).filter { variables.values[variables.scope.full($0)] == nil })
    }
    guard !unknown.isEmpty else { return }
    for group in groups {
      let used = Value.array(
        group.jobs.map(\.properties) + group.tags.map { .string($0.value) } + [.object(group.env)])
      _ = try variables.filled(
        .array(Interpolation.names(in: used).filter(unknown.contains).map { .string("((\($0)))") }))
    }
  }
}

extension DeploymentManifest {
  static func variableName(_ name: String) -> DroverError {
    DroverError(.invalid, "name: expected the deployment's name, found '\(name)': it cannot be a variable")
  }
}
