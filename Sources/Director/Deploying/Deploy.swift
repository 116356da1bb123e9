import AgentProtocol
import Documents
import Formats
import Manifests
import Surroundings
import Templates

/// The work of an `update_deployment` task: resolve, render, plan, do (design D6, reference/director.md C.1).
struct Deploy: Sendable {
  let director: Director
  let context: TaskContext
  let order: DeployOrder
  let pinned: PinnedInputs
  let variables: VariableSet
  /// With the values of its variables.
  let manifest: DeploymentManifest

  /// Two deploys of one deployment wait for each other. Which of its groups this one needs for itself only the plan says
  /// (``prepare()``): errands on the others go on.
  static func run(_ director: Director, _ context: TaskContext) async throws -> String? {
    let order = try context.request(as: DeployOrder.self)
    let name = try FieldReader(YAML.parse(order.manifest, file: "manifest")).string("name")
    return try await context.locked(["deployment:\(name)": .exclusive]) {
      try await Deploy(director, context, order, name).deploy()
    }
  }

  private init(
    _ director: Director, _ context: TaskContext, _ order: DeployOrder, _ name: String
  ) async throws {
    let pinning = DeployPinning(director: director, context: context, order: order, name: name)
    self.director = director
    self.context = context
    self.order = try await pinning.settledOrder()
    let document = try YAML.parse(self.order.manifest, file: "manifest")
    pinned = try await pinning.inputs()
    variables = try await pinning.variables(document, pinned)
    manifest = try DeploymentManifest(variables.filled(document))
    // Its name is what it has locked.
    guard manifest.name == name else { throw DeploymentManifest.variableName(name) }
  }

  var engines: DirectorEngines { director.engines }
  var records: Records { director.records }
  private var triggers: DeployTriggers {
    DeployTriggers(director: director, context: context, order: order, manifest: manifest)
  }

  private func deploy() async throws -> String? {
    if let due = try await triggers.left() {
      try await triggers.run(due)
      return "/deployments/\(manifest.name)"
    }
    for warning in manifest.warnings { try await context.warn(warning) }
    let draft = try await prepare()
    let (resolved, plan) = (draft.resolved, draft.plan)
    if order.dryRun {
      try await context.output.result(Array("\(plan)\n".utf8))
      return "/deployments/\(manifest.name)"
    }
    // Whether anything was to be done is decided by the first plan: one made after a restart finds less to do.
    let hasChanges = try await context.once("has-changes") { plan.hasChanges }
    let due = try await triggers.due(plan)

    let packages = try await Compiler(director: director, context: context, resolved: resolved).compiled()
    let updater = InstanceUpdater(
      director: director, context: context, resolved: resolved, packages: packages, rendered: draft.rendered)
    try await delete(plan, updater)
    try await createMissingVMs(plan, updater)
    for stage in plan.stages {
      _ = try await inParallel(stage, atMost: stage.count) { try await update($0, updater) }
    }
    try await release(resolved.releasedAddresses)
    var record = DeploymentRecord(
      name: manifest.name, manifest: order.manifest, releases: resolved.releaseNames,
      stemcells: resolved.stemcellNames, configIDs: pinned.configIDs)
    record.variables = variables.ids
    record.owedErrands = due.owed
    record.deployedAt = try await deployedAt()
    try await records.deployments.put(manifest.name, record)
    try await director.variables.prune((variables.ids ?? [:]).keys)
    if hasChanges, order.onlyInstance == nil { try await postDeploy(resolved) }
    try await triggers.run(due)
    return "/deployments/\(manifest.name)"
  }

  /// The time of this deploy; of the last one, when this is a command that deploys its manifest again.
  private func deployedAt() async throws -> Int {
    try await context.once("deployed at") {
      let last = try await records.deployments.get(manifest.name)?.body.deployedAt
      return order.changes == nil ? context.surroundings.now().seconds : last ?? context.surroundings.now().seconds
    }
  }

  // MARK: Doing

  private func delete(_ plan: DeploymentPlan, _ updater: InstanceUpdater) async throws {
    guard !plan.deletions.isEmpty else { return }
    let stage = context.stage("Deleting unneeded instances", total: plan.deletions.count)
    _ = try await inParallel(plan.deletions, atMost: 32) { deletion in
      try await stage.step(deletion.instance.label) { try await updater.delete(deletion, $0) }
    }
  }

  private func createMissingVMs(_ plan: DeploymentPlan, _ updater: InstanceUpdater) async throws {
    guard !plan.missingVMs.isEmpty else { return }
    let stage = context.stage("Creating missing vms", total: plan.missingVMs.count)
    _ = try await inParallel(plan.missingVMs, atMost: 32) { update in
      try await stage.step(update.instance.label) { reporter in
        _ = try await updater.take(update.creationSteps, update, offset: 0, reporter)
      }
    }
  }

  private func update(_ group: GroupPlan, _ updater: InstanceUpdater) async throws {
    let stage = context.stage(
      "Updating instance", tags: [group.group], total: group.updates.count + group.deletions.count)
    _ = try await inParallel(group.deletions, atMost: group.deletionConcurrency) { deletion in
      try await stage.step(deletion.instance.label) { try await updater.delete(deletion, $0) }
    }
    for batch in group.batches {
      try context.cancellation.check()
      let updates = group.updates.filter { batch.instances.contains($0.instance.id) }
      _ = try await inParallel(updates, atMost: batch.concurrency) { update in
        try await stage.step(update.instance.label + (update.isCanary ? " (canary)" : "")) { reporter in
          try await updater.update(update, reporter)
        }
      }
    }
  }

  /// Gives back addresses that no instance uses any more, now that all are updated.
  private func release(_ addresses: [AddressRecord]) async throws {
    guard !addresses.isEmpty else { return }
    _ = try await engines.store.commit(
      addresses.map { records.addresses.deleting("\($0.network)/\($0.address)") })
  }

  /// Tells all that run, also in groups that were not changed, where errands may run meanwhile: nothing is stopped for it.
  /// Errands' VMs are theirs.
  private func postDeploy(_ resolved: ResolvedDeployment) async throws {
    let services = Set(resolved.groups.filter { $0.lifecycle == .service }.map(\.name))
    let instances = try await records.instances(of: manifest.name).filter {
      $0.vm?.cid != nil && $0.state == .started && services.contains($0.group)
    }
    _ = try await inParallel(instances, atMost: 32) { instance in
      guard let vm = instance.vm else { return }
      _ = try await director.client(vm.agentID, context.output).perform(
        .runScript, ["post-deploy", ["env": [:]]],
        identity: RequestIdentity(task: context.id, agent: vm.agentID, step: "\(instance.id) post-deploy"))
    }
  }
}
