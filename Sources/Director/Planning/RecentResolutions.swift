import Manifests
import Synchronization

/// What deployments resolved to lately. Equal inputs give equal plans, so that what has not changed since is not resolved
/// again: each errand asks, however few of a deployment's instances it runs on.
final class RecentResolutions: Sendable {
  /// Deployments that are kept; one more, and all are let go, with those that are gone.
  private static let limit = 16

  private struct Kept {
    let inputs: DeploymentInputs
    let resolved: ResolvedDeployment
  }

  private let resolveAnew: @Sendable (DeploymentInputs) throws -> ResolvedDeployment
  private let kept = Mutex<[String: Kept]>([:])

  init(resolve: @escaping @Sendable (DeploymentInputs) throws -> ResolvedDeployment = { try $0.resolve() }) {
    resolveAnew = resolve
  }

  func resolve(_ inputs: DeploymentInputs) throws -> ResolvedDeployment {
    let name = inputs.manifest.name
    if let known = kept.withLock({ $0[name] }), known.inputs == inputs { return known.resolved }
    let hasNewInstances = Mutex(false)
    var watched = inputs
    watched.newIdentifier = NewIdentifier {
      hasNewInstances.withLock { $0 = true }
      return inputs.newIdentifier()
    }
    let resolved = try resolveAnew(watched)
    // Instances that are not there yet are others each time.
    if hasNewInstances.withLock({ $0 }) { return resolved }
    kept.withLock { kept in
      if kept[name] == nil, kept.count >= Self.limit { kept = [:] }
      kept[name] = Kept(inputs: inputs, resolved: resolved)
    }
    return resolved
  }
}
