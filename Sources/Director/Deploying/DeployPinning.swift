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

  /// The values of the variables in a manifest and the configs that it is deployed with. Those that the manifest or a
  /// runtime config defines and that have none are made; a dry run makes them for itself.
  func variables(_ manifest: Value, configs ids: [Int]) async throws -> VariableSet {
    let variables = director.variables
    let scope = variables.scope(name)
    if order.keepsVersions == true {
      return try await variables.set(of: try await director.deployment(name))
    }
    let configs = try await director.configStore.configs(ids: ids)
    let runtime = try configs.filter { $0.type == "runtime" }.map { try $0.document() }
    let wish = Variables.Wish(
      scope: scope, documents: [manifest] + (try configs.map { try $0.document() }),
      definitions: try ([manifest] + runtime).flatMap { try VariableDefinition.all(in: $0) },
      converges: manifest["features"]?["converge_variables"]?.bool == true, isDry: order.dryRun)
    if order.dryRun { return try await variables.settle(wish) }
    let versions = try await context.once("variables") { try await variables.settle(wish).ids ?? [:] }
    return try await variables.set(versions, scope)
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
        unresponsive: unresponsive)
    }
    let configIDs: [Int]
    if let asked = order.configIDs {
      configIDs = asked
    } else {
      configIDs = try await director.configStore.forDeploys().map(\.id)
    }
    return PinnedInputs(
      configIDs: configIDs, releases: try await records.releases.list().map(\.name),
      stemcells: try await records.stemcells.list().map(\.name), unresponsive: unresponsive)
  }
}

extension ResolvedDeployment {
  /// - Throws: `notFound` when something in the cloud or runtime configs that this deployment uses has a variable without a
  ///   value. What it does not use may have any.
  func refuseUnknownVariables(of configs: [ConfigRecord], _ variables: VariableSet) throws {
    guard variables.ids != nil else { return }
    var unknown: Set<String> = []
    for config in configs {
      unknown.formUnion(
        Interpolation.names(in: try config.document()).filter { variables.values[variables.scope.full($0)] == nil })
    }
    guard !unknown.isEmpty else { return }
    for group in groups {
      let used = Value.array(
        [.object(group.env)] + group.jobs.map(\.properties) + group.instances.map { .object($0.cloudProperties) })
      _ = try variables.filled(
        .array(Interpolation.names(in: used).filter(unknown.contains).map { .string("((\($0)))") }))
    }
  }
}
