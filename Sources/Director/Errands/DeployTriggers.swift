import Documents
import Manifests

/// Which errands a deploy has to run when it is through: those of `post-recreate` and `post-deploy`.
struct DeployTriggers: Sendable {
  let director: Director
  let context: TaskContext
  let order: DeployOrder
  let manifest: DeploymentManifest

  /// What is due, decided by the first plan: one made after a restart finds less to do.
  struct Due: Codable, Sendable {
    /// Ids of the instances whose VMs are made anew; empty when no errand is to know.
    var recreated: [String] = []
    /// Names of the entries of `post-deploy`.
    var postDeploy: [String] = []
    /// Those of them without which the deployment is not what it should be.
    var owed: [String]?

    var isEmpty: Bool { recreated.isEmpty && postDeploy.isEmpty }
  }

  private static let checkpoint = "all but errands"

  private func errands(_ point: ErrandTrigger) -> TriggeredErrands {
    TriggeredErrands(
      director: director, context: context, deployment: manifest.name, manifest: manifest, point: point)
  }

  /// Commands such as `recreate` are no deploys, and leave what is owed as it is.
  private var isDeploy: Bool { order.changes == nil && order.onlyInstance == nil }

  func due(_ plan: DeploymentPlan) async throws -> Due {
    try await context.once("due errands") {
      let owed = try await director.records.deployments.get(manifest.name)?.body.owedErrands
      var due = Due(owed: owed)
      if !errands(.postRecreate).entries.isEmpty { due.recreated = plan.recreatedInstances }
      guard isDeploy else { return due }
      let entries = errands(.postDeploy).entries.filter { plan.hasChanges || owed?.contains($0.name) == true }
      let required = entries.filter(\.isRequired).map(\.name)
      due.postDeploy = entries.map(\.name)
      due.owed = required.isEmpty ? nil : required
      return due
    }
  }

  /// What a server had to run yet, that was killed when all but the errands was done.
  func left() async throws -> Due? { try await context.known(Self.checkpoint, as: Due.self) }

  func run(_ due: Due) async throws {
    guard !due.isEmpty else { return }
    // From here on errands work with instances, which nothing else of this task does any more.
    _ = try await context.once(Self.checkpoint) { due }
    if !due.recreated.isEmpty { try await errands(.postRecreate).run(on: Set(due.recreated)) }
    if !due.postDeploy.isEmpty { try await errands(.postDeploy).run(Set(due.postDeploy)) }
    guard isDeploy, due.owed != nil else { return }
    try await director.records.deployments.update(manifest.name) { $0.owedErrands = nil }
  }
}
