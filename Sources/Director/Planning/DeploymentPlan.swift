/// What a deploy will do, in order (design D6): compile, delete, make VMs, update group by group.
public struct DeploymentPlan: Sendable, Hashable {
  public var deployment: String
  /// Packages to compile, in an order in which each comes after its dependencies.
  public var compilations: [CompilationTarget]
  /// Instances of groups that are gone, and surplus ones of errand groups.
  public var deletions: [InstanceDeletion]
  /// Instances whose VM is to be made before groups are updated, all at once.
  public var missingVMs: [InstanceUpdate]
  /// Service groups in the order of the manifest; groups of one element are updated at the same time.
  public var stages: [[GroupPlan]]

  /// The plan without all that is about other instances; nil leaves it as it is.
  func limited(to id: String?) -> DeploymentPlan {
    guard let id else { return self }
    var plan = self
    plan.deletions = []
    plan.missingVMs = missingVMs.filter { $0.instance.id == id }
    plan.stages = stages.map { stage in
      stage.compactMap { group -> GroupPlan? in
        var group = group
        group.deletions = []
        group.updates = group.updates.filter { $0.instance.id == id }
        group.batches = group.batches.filter { $0.instances.contains(id) }
        return group.updates.isEmpty ? nil : group
      }
    }.filter { !$0.isEmpty }
    return plan
  }

  /// Whether anything will be done to an instance: then `post-deploy` runs at the end.
  public var hasChanges: Bool {
    !deletions.isEmpty || stages.contains { $0.contains { !$0.updates.isEmpty || !$0.deletions.isEmpty } }
  }
}

extension DeploymentPlan {
  /// Ids of instances that had a VM before and get another one.
  var recreatedInstances: [String] {
    stages.flatMap { $0 }.flatMap(\.updates).filter { update in
      switch update.change {
      case .recreate: true
      case .create: update.instance.current?.fingerprint != nil
      case .none, .update, .delete: false
      }
    }.map(\.instance.id)
  }
}

/// What is done with one group.
public struct GroupPlan: Sendable, Hashable {
  public var group: String
  /// Surplus instances, deleted first.
  public var deletions: [InstanceDeletion]
  /// How many may be deleted at once.
  public var deletionConcurrency: Int
  /// Instances that change, in the order in which they are updated.
  public var updates: [InstanceUpdate]
  /// The updates in batches, one after the other; each instance is in exactly one.
  public var batches: [UpdateBatch]
}

/// Instances that are updated together, not more than ``concurrency`` at once.
public struct UpdateBatch: Sendable, Hashable {
  public var az: String?
  public var isCanary: Bool
  /// Instance ids, in order.
  public var instances: [String]
  public var concurrency: Int
}

/// What is done with one instance that stays or comes.
public struct InstanceUpdate: Sendable, Hashable {
  public var instance: ResolvedInstance
  public var change: InstanceChange
  public var isCanary: Bool
  /// Made before the group's turn comes: `createVM` and what belongs to it. Empty when there is a VM.
  public var creationSteps: [InstanceStep]
  /// In the group's turn.
  public var steps: [InstanceStep]
  /// To be stored when all is done.
  public var fingerprint: InstanceFingerprint
}

/// What is done with one instance that goes.
public struct InstanceDeletion: Sendable, Hashable {
  public var instance: InstanceRecord
  public var steps: [InstanceStep]
}
