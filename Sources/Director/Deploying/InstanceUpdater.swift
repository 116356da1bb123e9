import AgentProtocol
import Blobs
import Clouds
import Documents
import Formats
import Manifests
import Surroundings
import Templates

/// Updates and deletes instances as the plan says, each by an ``InstanceWorker``.
struct InstanceUpdater: Sendable {
  let director: Director
  let context: TaskContext
  let resolved: ResolvedDeployment
  /// Compiled packages by key.
  let packages: [String: CompiledPackageRecord]
  /// Rendered jobs by instance id.
  let rendered: [String: [RenderedJob]]

  /// Takes all of an instance's steps and records that they went through.
  func update(_ update: InstanceUpdate, _ reporter: StepReporter) async throws {
    let name = try await take(update.steps, update, offset: update.creationSteps.count, reporter)
    let fingerprint = update.fingerprint
    try await director.records.instances.update(name) { record in
      record.fingerprint = fingerprint
      record.updateCompleted = true
      record.progress?.isFinished = true
    }
  }

  /// Takes some steps. Returns the name of the instance's document.
  ///
  /// - Parameter offset: how many steps of the update come before these.
  func take(
    _ steps: [InstanceStep], _ update: InstanceUpdate, offset: Int, _ reporter: StepReporter
  ) async throws -> String {
    let instance = update.instance
    guard let group = resolved.group(instance.group) else {
      throw DroverError(.notFound, "instance \(instance.label): its group is not in the manifest")
    }
    let name = instance.record.documentName
    var record = try await director.records.instances.require(name).body
    if record.state != instance.state {
      // Before it is true: until it is, the instance is not as it should be.
      record.state = instance.state
      record.updateCompleted = false
    }
    let spec = try await spec(of: instance, steps)
    var worker = InstanceWorker(
      director: director, context: context, record: record, spec: spec,
      order: try await order(for: instance, group), recipe: instance.recipe.description,
      stemcell: "\(group.stemcell.name)/\(group.stemcell.version)",
      tracking: .init(work: .update, base: instance.current ?? instance.record),
      report: { try await reporter.status($0) })
    do {
      try await worker.take(steps, offset: offset)
    } catch {
      // The server stops: the agent may still be fetching it, and what it has begun is not begun again.
      if !Task.isCancelled { await forgetArchive(spec) }
      throw error
    }
    await forgetArchive(spec)
    return name
  }

  func delete(_ deletion: InstanceDeletion, _ reporter: StepReporter) async throws {
    guard let record = try await director.records.instances.get(deletion.instance.documentName)?.body else { return }
    var worker = InstanceWorker(
      director: director, context: context, record: record, spec: nil, order: nil, recipe: "", stemcell: "",
      tracking: .init(work: .removal, base: deletion.instance), report: { try await reporter.status($0) })
    try await worker.take(deletion.steps)
  }

  /// The agent has unpacked the archive, or will be sent another one: nobody fetches it again.
  private func forgetArchive(_ spec: ApplySpec?) async {
    guard let archive = spec?.renderedTemplatesArchive else { return }
    try? await director.engines.blobs.delete(archive.blobstoreID)
  }

  /// What the instance shall run. Its archive is stored only when a step needs it.
  private func spec(of instance: ResolvedInstance, _ steps: [InstanceStep]) async throws -> ApplySpec? {
    guard steps.contains(where: { [.prepare, .apply, .applyIdentity].contains($0) || $0.isDrain }) else { return nil }
    guard let jobs = rendered[instance.id] else {
      throw DroverError(.invalid, "instance \(instance.label): its templates are not rendered")
    }
    // The same blob when a restarted server stores it again, and for all steps of the task.
    let identity = RequestIdentity(task: context.id, agent: instance.id, step: "rendered templates")
    let archive = try await InstanceRenderer(director: director, resolved: resolved).store(
      jobs, of: instance, id: identity.uuid)
    var spec = try resolved.applySpec(
      of: instance, rendered: InstanceRenderer.digests(of: jobs),
      archive: ApplySpec.RenderedTemplatesArchive(sha1: "\(archive.digest)", blobstoreID: archive.id),
      compiled: packages)
    for index in spec.packages.indices {
      spec.packages[index].signedURL = try director.engines.blobAddresses.get(spec.packages[index].blobstoreID)
    }
    spec.renderedTemplatesArchive?.signedURL = try director.engines.blobAddresses.get(archive.id)
    return spec
  }

  private func order(for instance: ResolvedInstance, _ group: ResolvedGroup) async throws -> VMOrder {
    var cloudProperties = instance.cloudProperties
    if case .resources(let cpu, let memory, let disk) = group.vm {
      cloudProperties = try await director.engines.cloud.calculateVMCloudProperties(
        .init(cpus: cpu, memory: memory, ephemeralDisk: disk)
      ).merging(cloudProperties)
    }
    var metadata = resolved.metadata(of: instance)
    metadata["created_at"] = .string(director.engines.surroundings.now().text)
    return VMOrder(
      agentID: "", stemcell: group.stemcell.cid, cloudProperties: cloudProperties, networks: instance.networks,
      disks: [], env: resolved.environment(of: instance), metadata: metadata)
  }
}

extension InstanceStep {
  var isDrain: Bool { if case .drain = self { true } else { false } }
}
