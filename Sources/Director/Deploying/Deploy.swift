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
  let manifest: DeploymentManifest

  init(_ director: Director, _ context: TaskContext) throws {
    self.director = director
    self.context = context
    order = try context.request(as: DeployOrder.self)
    manifest = try DeploymentManifest(YAML.parse(order.manifest, file: "manifest"))
  }

  private var engines: DirectorEngines { director.engines }
  private var records: Records { director.records }
  private var triggers: DeployTriggers {
    DeployTriggers(director: director, context: context, order: order, manifest: manifest)
  }

  func run() async throws -> String? {
    try await context.locked {
      try await Set(records.instances(of: manifest.name).map(\.group) + manifest.instanceGroups.map(\.name))
    } claims: { groups in
      var claims: [String: LockTable.Mode] = ["deployment:\(manifest.name)": .exclusive]
      for group in groups { claims["group:\(manifest.name)/\(group)"] = .exclusive }
      return claims
    } _: { _ in
      try await deploy()
    }
  }

  private func deploy() async throws -> String? {
    if let due = try await triggers.left() {
      try await triggers.run(due)
      return "/deployments/\(manifest.name)"
    }
    for warning in manifest.warnings { try await context.warn(warning) }
    let preparing = context.stage("Preparing deployment", total: 2)
    let (resolved, configIDs) = try await preparing.step("Preparing deployment") { _ in
      let pinned = try await context.once("inputs") { try await pin() }
      return (try await resolveAndReserve(pinned), pinned.configIDs)
    }
    let renderer = InstanceRenderer(director: director, resolved: resolved)
    let rendered = try await preparing.step("Rendering templates") { _ in
      try await renderer.render(resolved.groups.filter { $0.lifecycle == .service }.flatMap(\.instances))
    }
    let compiler = Compiler(director: director, context: context, resolved: resolved)
    let plan = try await resolved.plan(
      rendered: rendered.mapValues(InstanceRenderer.digests), compiled: Set(compiler.compiled().keys)
    ).limited(to: order.onlyInstance)
    await context.output.debug("INFO -- plan:\n\(plan)")
    if order.dryRun {
      try await context.output.result(Array("\(plan)\n".utf8))
      return "/deployments/\(manifest.name)"
    }
    // Whether anything was to be done is decided by the first plan: one made after a restart finds less to do.
    let hasChanges = try await context.once("has-changes") { plan.hasChanges }
    let due = try await triggers.due(plan)

    try await compiler.run()
    let packages = try await compiler.compiled()
    let updater = InstanceUpdater(
      director: director, context: context, resolved: resolved, packages: packages, rendered: rendered)
    try await delete(plan, updater)
    try await createMissingVMs(plan, updater)
    for stage in plan.stages {
      _ = try await inParallel(stage, atMost: stage.count) { try await update($0, updater) }
    }
    try await recordErrandInstances(plan)
    try await release(resolved.releasedAddresses)
    var record = DeploymentRecord(
      name: manifest.name, manifest: order.manifest, releases: resolved.releaseNames,
      stemcells: resolved.stemcellNames, configIDs: configIDs)
    record.owedErrands = due.owed
    record.deployedAt = try await deployedAt()
    try await records.deployments.put(manifest.name, record)
    if hasChanges, order.onlyInstance == nil { try await postDeploy() }
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

  // MARK: Inputs

  private func pin() async throws -> PinnedInputs {
    var unresponsive: Set<String> = []
    if order.fix {
      let instances = try await records.instances(of: manifest.name).filter {
        $0.vm != nil && (order.onlyInstance ?? $0.id) == $0.id
      }
      let answers = try await inParallel(instances, atMost: 32) { instance in
        guard let vm = instance.vm else { return (instance.id, true) }
        return (instance.id, (try? await director.client(vm.agentID).state(timeout: .seconds(5))) != nil)
      }
      unresponsive = Set(answers.filter { !$0.1 }.map(\.0))
    }
    if order.keepsVersions == true {
      let deployed = try await director.deployment(manifest.name)
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

  private func inputs(_ pinned: PinnedInputs) async throws -> DeploymentInputs {
    let configs = try await director.configStore.configs(ids: pinned.configIDs)
    guard manifest.ownCloudConfig != nil || configs.contains(where: { $0.type == "cloud" }) else {
      throw DirectorFailure(
        40003,
        "No cloud config: a deployment needs one with networks, vm_types and compilation; see update-cloud-config")
    }
    let surroundings = engines.surroundings
    let instances = try await records.instances(of: manifest.name)
    // What was asked for has been done to them.
    let finished = Set(
      instances.filter { $0.progress?.task == context.id && $0.progress?.isFinished == true }.map(\.id))
    return DeploymentInputs(
      directorName: director.identity.name, manifest: manifest,
      cloudConfig: try manifest.ownCloudConfig ?? configs.cloudConfig(), runtimeConfig: try configs.runtimeConfig(),
      releases: try await pinned.releases.asyncMap { try await records.releases.get($0)?.body }.compactMap { $0 },
      stemcells: try await pinned.stemcells.asyncMap { try await records.stemcells.get($0)?.body }.compactMap { $0 },
      instances: try instances.map { try $0.planned(by: context.id) },
      addresses: try await records.addresses.list().map(\.body),
      options: try order.options(unresponsive: pinned.unresponsive.subtracting(finished), finished: finished),
      newIdentifier: { surroundings.identifier() })
  }

  /// Resolves, and writes down the instances and addresses that are new, in one commit. When somebody else has taken one
  /// of the addresses meanwhile, all is decided again.
  private func resolveAndReserve(_ pinned: PinnedInputs) async throws -> ResolvedDeployment {
    if !order.dryRun, try await records.deployments.get(manifest.name) == nil {
      try await records.deployments.put(manifest.name, DeploymentRecord(name: manifest.name))
    }
    while true {
      let resolved = try await inputs(pinned).resolve()
      try resolved.refuseDynamicNetworks()
      try resolved.refuseUnknownErrands(manifest.errands)
      if order.dryRun { return resolved }
      var writes = try resolved.reservations.map { record in
        try records.addresses.creating("\(record.network)/\(record.address)", record)
      }
      for instance in resolved.instances {
        var record = instance.record
        guard let current = instance.current else {
          writes.append(try records.instances.creating(record.documentName, record))
          continue
        }
        // It was written down when this task began with it.
        if current.vm?.cid != nil, current.state != record.state {
          // Another state is written down when the work on the instance begins, and planned from the old one until then.
          record.state = current.state
          record.updateCompleted = current.updateCompleted
        }
        if current.isInWork(by: context.id) || current == record { continue }
        writes.append(try records.instances.writing(record.documentName, record))
        if current.documentName != record.documentName { writes += try await moving(current, to: record) }
      }
      do {
        _ = try await engines.store.commit(writes)
        return resolved
      } catch  where error.isDocumentExists {
        try Task.checkCancellation()
      }
    }
  }

  /// An instance comes from another group: it has another name, by which it holds its addresses.
  private func moving(_ old: InstanceRecord, to new: InstanceRecord) async throws -> [Write] {
    let held = try await records.addresses.list().filter { $0.body.holder == old.documentName }
    return try [records.instances.deleting(old.documentName)]
      + held.map { entry in
        var record = entry.body
        record.holder = new.documentName
        return try records.addresses.writing(entry.name, record)
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

  private func recordErrandInstances(_ plan: DeploymentPlan) async throws {
    for instance in plan.errandInstances where instance.current == nil {
      try await records.instances.put(instance.record.documentName, instance.record)
    }
  }

  private func postDeploy() async throws {
    let instances = try await records.instances(of: manifest.name).filter { $0.vm?.cid != nil && $0.state == .started }
    _ = try await inParallel(instances, atMost: 32) { instance in
      guard let vm = instance.vm else { return }
      _ = try await director.client(vm.agentID, context.output).perform(
        .runScript, ["post-deploy", ["env": [:]]],
        identity: RequestIdentity(task: context.id, agent: vm.agentID, step: "\(instance.id) post-deploy"))
    }
  }
}
