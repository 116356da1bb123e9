import Manifests

/// What a run of an errand claims: its groups, for itself where it has VMs of its own; and its script on each instance.
///
/// What a run has begun with is on record in its claims alone. A server that takes it up again goes on with these very
/// instances, whatever has been deployed to other groups meanwhile.
struct ErrandClaims: Sendable {
  let deployment: String

  func resources(_ targets: [ErrandSelection.Target]) -> [String: LockTable.Mode] {
    var claims: [String: LockTable.Mode] = [:]
    for target in targets {
      let instance = target.instance
      claims["group:\(deployment)/\(instance.group)"] = target.needsVM ? .exclusive : .shared
      claims["\(prefix)\(target.script)/\(instance.id)"] = .exclusive
    }
    return claims
  }

  private var prefix: String { "errand:\(deployment)/" }

  /// The targets for which a run has made these claims, in the order of the deployment.
  ///
  /// - Returns: nil when it has claimed none, or one of its instances is gone.
  func targets(_ claims: [String: LockTable.Mode], of resolved: ResolvedDeployment) -> [ErrandSelection.Target]? {
    let runs = claims.keys.filter { $0.hasPrefix(prefix) }.compactMap { claim -> (script: String, id: Substring)? in
      let run = claim.dropFirst(prefix.count)
      return run.lastIndex(of: "/").map { (String(run[..<$0]), run[run.index(after: $0)...]) }
    }
    let targets = resolved.groups.flatMap { group in
      group.instances.flatMap { instance in
        runs.filter { $0.id == instance.id }.map {
          ErrandSelection.Target(instance: instance, script: $0.script, needsVM: group.lifecycle == .errand)
        }
      }
    }
    return targets.isEmpty || targets.count != runs.count ? nil : targets
  }
}
