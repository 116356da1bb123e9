import Manifests
import Releases

extension ResolvedDeployment {
  /// The groups that a deploy changes, by their names before and after it: those with an instance for which anything is
  /// to be done or written down, and those on which an errand would run otherwise than by what was deployed before. The
  /// deploy has them for itself (`docs/decisions/locks.md`).
  ///
  /// - Parameter deployed: what was last deployed, resolved from the same instances; nil when that is not known: then they
  ///   are all.
  func changedGroups(by plan: DeploymentPlan, from deployed: ResolvedDeployment?) -> Set<String> {
    let updates = plan.missingVMs + plan.stages.joined().flatMap(\.updates)
    let deletions = plan.deletions + plan.stages.joined().flatMap(\.deletions)
    var changed = Set(deletions.map(\.instance.group) + plan.stages.joined().map(\.group))
    let instances = updates.map(\.instance) + instances.filter { deployed == nil || $0.current != $0.record }
    for instance in instances {
      changed.insert(instance.group)
      if let current = instance.current { changed.insert(current.group) }
    }
    guard let deployed else { return changed.union(groups.map(\.name)).union(obsolete.map(\.group)) }
    for name in Set(groups.map(\.name) + deployed.groups.map(\.name)) {
      guard let new = group(name), let old = deployed.group(name), new.runsErrands(like: old) else {
        changed.insert(name)
        continue
      }
    }
    return changed
  }
}

extension ResolvedGroup {
  /// Whether both are the same to an errand: on a VM of its own, which is made by all that the group is; on a running
  /// instance, to which all has been applied, by its jobs and what those lease.
  fileprivate func runsErrands(like other: ResolvedGroup) -> Bool {
    guard lifecycle == other.lifecycle else { return false }
    guard lifecycle == .errand else {
      return jobs.elementsEqual(other.jobs) { new, old in
        new.name == old.name && new.kind == old.kind && new.record.fingerprint == old.record.fingerprint
          && new.spec.leases == old.spec.leases
      }
    }
    // How instances are updated one after another is nothing to an errand.
    var other = other
    other.update = update
    return self == other
  }
}
