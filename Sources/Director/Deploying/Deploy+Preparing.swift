import AgentProtocol
import Documents
import Formats
import Manifests
import Surroundings
import Templates

/// What a deploy is going to do, and what that was decided from.
struct DeployDraft: Sendable {
  let inputs: DeploymentInputs
  let resolved: ResolvedDeployment
  /// Rendered jobs by instance id.
  let rendered: [String: [RenderedJob]]
  let plan: DeploymentPlan
}

/// Everything before the first instance is touched.
extension Deploy {
  /// Decides what is to be done, compiles what that needs, claims the groups that it changes, and writes down which
  /// instances and addresses are new. A dry run only decides.
  ///
  /// While it waits for a group, an errand may change what is on record of it. So all is decided again when anything has
  /// changed meanwhile, and more is claimed if that changes more groups; what has been claimed stays. Nothing is written
  /// down about an instance before its group is claimed.
  func prepare() async throws -> DeployDraft {
    if !order.dryRun, try await records.deployments.get(manifest.name) == nil {
      try await records.deployments.put(manifest.name, DeploymentRecord(name: manifest.name))
    }
    var draft = try await self.draft("Preparing deployment")
    if order.dryRun { return draft }
    while true {
      // For this no group is needed, and somebody who ends the task while it waits for one leaves no VM behind.
      try await Compiler(director: director, context: context, resolved: draft.resolved).run()
      let held = await context.heldLocks ?? [:]
      let missing = try await claims(draft).filter { held[$0.key] != $0.value }
      if !missing.isEmpty {
        try await context.extendLocks(missing)
        let now = try await inputs()
        if now.instances != draft.inputs.instances || now.addresses != draft.inputs.addresses {
          draft = try await self.draft("Preparing deployment again")
          continue
        }
      }
      if try await reserve(draft.resolved) { return draft }
      draft = try await self.draft("Preparing deployment again")
    }
  }

  private func draft(_ name: String) async throws -> DeployDraft {
    let preparing = context.stage(name, total: 2)
    let (inputs, resolved) = try await preparing.step(name) { _ -> (DeploymentInputs, ResolvedDeployment) in
      let inputs = try await self.inputs()
      let resolved = try inputs.resolve()
      try resolved.refuseDynamicNetworks()
      try resolved.refuseUnknownErrands(manifest.errands)
      try resolved.refuseUnknownVariables(of: try await configs(), variables)
      return (inputs, resolved)
    }
    let rendered = try await preparing.step("Rendering templates") { _ in
      try await InstanceRenderer(director: director, resolved: resolved).render(
        resolved.groups.filter { $0.lifecycle == .service }.flatMap(\.instances))
    }
    let compiler = Compiler(director: director, context: context, resolved: resolved)
    let plan = try await resolved.plan(
      rendered: rendered.mapValues(InstanceRenderer.digests), compiled: Set(compiler.compiled().keys)
    ).limited(to: order.onlyInstance)
    await context.output.debug("INFO -- plan:\n\(plan)")
    return DeployDraft(
      inputs: inputs, resolved: resolved, rendered: rendered, plan: plan)
  }

  // MARK: Groups

  private func claims(_ draft: DeployDraft) async throws -> [String: LockTable.Mode] {
    let groups = draft.resolved.changedGroups(by: draft.plan, from: try await deployed(draft))
    return Dictionary(uniqueKeysWithValues: groups.map { ("group:\(manifest.name)/\($0)", .exclusive) })
  }

  /// What errands run by until this deploy is through; nil when that cannot be told.
  private func deployed(_ draft: DeployDraft) async throws -> ResolvedDeployment? {
    let record = try await director.deployment(manifest.name)
    let resolved = draft.resolved
    if record.manifest == order.manifest, record.configIDs == pinned.configIDs, record.variables == variables.ids,
      record.releases == resolved.releaseNames, record.stemcells == resolved.stemcellNames
    {
      return resolved
    }
    do {
      guard let old = try await director.variables.manifest(of: record) else { return nil }
      var inputs = try await director.storedInputs(record, old)
      (inputs.instances, inputs.addresses) = (draft.inputs.instances, draft.inputs.addresses)
      return try inputs.resolve()
    } catch  where !Task.isCancelled {
      await context.output.debug("INFO -- what was deployed before does not fit together any more: \(error)")
      return nil
    }
  }

  // MARK: Inputs

  private func configs() async throws -> [ConfigRecord] {
    try await director.configStore.configs(ids: pinned.configIDs)
  }

  private func inputs() async throws -> DeploymentInputs {
    let configs = try await configs()
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
      cloudConfig: try manifest.ownCloudConfig ?? configs.cloudConfig(variables),
      runtimeConfig: try configs.runtimeConfig(variables),
      releases: try await pinned.releases.asyncMap { try await records.releases.get($0)?.body }.compactMap { $0 },
      stemcells: try await pinned.stemcells.asyncMap { try await records.stemcells.get($0)?.body }.compactMap { $0 },
      instances: try instances.map { try $0.planned(by: context.id) },
      addresses: try await records.addresses.list().map(\.body),
      options: try order.options(unresponsive: pinned.unresponsive.subtracting(finished), finished: finished),
      newIdentifier: { surroundings.identifier() })
  }

  /// Writes down the instances and addresses that are new, in one commit.
  ///
  /// - Returns: false when somebody else has taken one of the addresses meanwhile.
  private func reserve(_ resolved: ResolvedDeployment) async throws -> Bool {
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
      return true
    } catch  where error.isDocumentExists {
      try Task.checkCancellation()
      return false
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
}
