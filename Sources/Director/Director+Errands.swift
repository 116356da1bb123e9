import Documents
import Formats
import Manifests
import Surroundings

/// Errands, as the API offers them.
extension Director {
  /// Names of what can be run: groups that are errands, errands of releases, and jobs with `bin/run`.
  public func errands(_ name: String) async throws -> [String] {
    let record = try await deployment(name)
    guard let manifest = try await variables.manifest(of: record) else { return [] }
    return try await storedResolution(record, manifest).errandNames
  }

  /// Starts a run. The same errand on the same instances is refused while it runs (design D8).
  public func runErrand(_ errand: String, in name: String, _ run: ErrandRun, user: String) async throws -> Int {
    let deployment = try await deployment(name)
    let policy = try await variables.manifest(of: deployment)?.errands.first {
      $0.name == errand && $0.errand == errand
    }
    let order = ErrandOrder(deployment: name, errand: errand, run: policy.map(run.completed) ?? run)
    try order.run.refuseImpossible()
    return try await tasks.start(
      TaskBoard.Order(
        type: "run_errand", description: "run errand \(errand) from deployment \(name)", user: user,
        deployment: name, request: order)
    ) {
      if run.waitsForTurn != true { try await refuseTwice(order) }
    }
  }

  private func refuseTwice(_ order: ErrandOrder) async throws {
    let running = try await tasks.tasks(in: TaskRecord.State.unfinished) { task in
      task.type == "run_errand" && task.deployment == order.deployment
    }
    for task in running.reversed() {
      let other = try task.request(as: ErrandOrder.self)
      guard other.errand == order.errand, order.run.mayMeet(other.run) else { continue }
      throw DirectorFailure(
        510001, status: 409,
        "Errand '\(order.errand)' is already running as task \(task.id); follow it with 'drover attach \(task.id)', "
          + "or wait for your turn with --queue")
    }
  }

  /// What the deployment was last deployed from, for those who need it resolved again without deploying.
  ///
  /// - Parameter task: the task that asks; instances that it has begun with are planned from what they were then.
  func storedInputs(
    _ record: DeploymentRecord, _ manifest: DeploymentManifest, task: Int? = nil
  ) async throws -> DeploymentInputs {
    let configs = try await configStore.configs(ids: record.configIDs)
    let set = try await variables.set(of: record)
    guard set.lost.isEmpty else {
      throw DroverError(
        .notFound,
        "deployment '\(record.name)': its variables \(set.lost.map { "'\($0)'" }.joined(separator: ", ")) are "
          + "gone; deploy it again", number: 540002)
    }
    let surroundings = engines.surroundings
    var inputs = DeploymentInputs(
      directorName: identity.name, manifest: manifest,
      cloudConfig: try manifest.ownCloudConfig ?? configs.cloudConfig(set),
      runtimeConfig: try configs.runtimeConfig(set),
      releases: try await record.releases.asyncMap { try await records.releases.get($0)?.body }.compactMap { $0 },
      stemcells: try await record.stemcells.asyncMap { try await records.stemcells.get($0)?.body }.compactMap { $0 },
      instances: try await records.instances(of: record.name).map { try $0.planned(by: task) },
      addresses: try await records.addresses.list().map(\.body), newIdentifier: { surroundings.identifier() })
    inputs.leavesOutHomeless = true
    return inputs
  }

  /// A deployment as it is now, by its own manifest.
  func storedResolution(
    _ record: DeploymentRecord, _ manifest: DeploymentManifest, task: Int? = nil
  ) async throws -> ResolvedDeployment {
    try recentResolutions.resolve(await storedInputs(record, manifest, task: task))
  }
}
