import Formats
import Manifests

extension ResolvedDeployment {
  /// Decides what has to be done, now that templates are rendered.
  ///
  /// - Parameters:
  ///   - rendered: By instance id; all instances of service groups must be there.
  ///   - compiled: Keys of the compiled packages that exist.
  /// - Throws: ``DroverError`` when an instance has not been rendered.
  public func plan(rendered: [String: RenderedInstance], compiled: Set<String>) throws -> DeploymentPlan {
    let services = groups.filter { $0.lifecycle == .service }
    let serviceNames = Set(services.map(\.name))
    let groupPlans = try services.map { try plan($0, rendered) }
    return DeploymentPlan(
      deployment: name,
      compilations: packages.missing(compiled),
      deletions: obsolete.filter { !serviceNames.contains($0.group) }.map(deletion),
      missingVMs: groupPlans.flatMap { $0.updates.filter { $0.change == .create } },
      stages: stages(groupPlans, services))
  }

  /// The update of one instance; that of an errand's instance brings its VM up.
  public func update(
    of instance: ResolvedInstance, rendered: RenderedInstance, isCanary: Bool = false
  ) throws -> InstanceUpdate {
    guard let group = group(instance.group) else {
      throw DroverError(.notFound, "deployment '\(name)' has no instance group '\(instance.group)'", number: 70009)
    }
    let change = change(of: instance, rendered: rendered)
    let steps = InstanceSteps(
      instance: instance, group: group, change: change, skipDrain: options.skipDrain.covers(instance.record),
      isCanary: isCanary, isResuming: options.resuming)
    return InstanceUpdate(
      instance: instance, change: change, isCanary: isCanary, creationSteps: steps.creation, steps: steps.update,
      fingerprint: fingerprint(of: instance, rendered: rendered))
  }

  private func deletion(_ record: InstanceRecord) -> InstanceDeletion {
    InstanceDeletion(
      record, skipDrain: options.skipDrain.covers(record), force: options.unresponsive.contains(record.id))
  }

  private func plan(_ group: ResolvedGroup, _ rendered: [String: RenderedInstance]) throws -> GroupPlan {
    var changed: [(instance: ResolvedInstance, rendered: RenderedInstance)] = []
    for instance in group.instances {
      guard let files = rendered[instance.id] else {
        throw DroverError(.failed, "planning deployment '\(name)': instance \(instance.label) has not been rendered")
      }
      if !change(of: instance, rendered: files).isNone { changed.append((instance, files)) }
    }
    let schedule = UpdateSchedule(
      policy: group.update, isFirstDeploy: group.instances.allSatisfy { $0.current?.fingerprint == nil })
    let batches = schedule.batches(
      changed.map { UpdateSchedule.Member(id: $0.instance.id, az: $0.instance.az, bootstrap: $0.instance.bootstrap) })
    let byID = Dictionary(changed.map { ($0.instance.id, $0) }, uniquingKeysWith: { first, _ in first })
    let updates = try batches.flatMap { batch in
      try batch.instances.compactMap { id in
        try byID[id].map { try update(of: $0.instance, rendered: $0.rendered, isCanary: batch.isCanary) }
      }
    }
    let surplus = obsolete.filter { $0.group == group.name }
    return GroupPlan(
      group: group.name, deletions: surplus.map(deletion),
      deletionConcurrency: max(1, group.update.maxInFlight.of(surplus.count)), updates: updates, batches: batches)
  }

  /// Neighbouring groups that need not be serial are updated together; groups with nothing to do are left out.
  private func stages(_ plans: [GroupPlan], _ groups: [ResolvedGroup]) -> [[GroupPlan]] {
    var stages: [[GroupPlan]] = []
    var joins = false
    for (plan, group) in zip(plans, groups) {
      if !group.update.serial, joins, !stages.isEmpty {
        stages[stages.count - 1].append(plan)
      } else {
        stages.append([plan])
      }
      joins = !group.update.serial
    }
    return stages.map { $0.filter { !$0.updates.isEmpty || !$0.deletions.isEmpty } }.filter { !$0.isEmpty }
  }
}
