import Documents
import Formats
import Manifests

/// The work of a `delete_deployment` task: stops and deletes all instances, then the deployment.
struct DeleteDeployment: Sendable {
  struct Order: Codable, Sendable {
    var name: String
    /// Go on when an agent does not answer or a script fails.
    var force: Bool
  }

  let director: Director
  let context: TaskContext
  let order: Order

  init(_ director: Director, _ context: TaskContext) throws {
    self.director = director
    self.context = context
    order = try context.request(as: Order.self)
  }

  func run() async throws -> String? {
    let records = director.records
    return try await context.locked {
      Set(try await records.instances(of: order.name).map(\.group))
    } claims: { groups in
      var claims: [String: LockTable.Mode] = ["deployment:\(order.name)": .exclusive]
      for group in groups { claims["group:\(order.name)/\(group)"] = .exclusive }
      return claims
    } _: { _ in
      try await runErrands()
      let instances = try await records.instances(of: order.name)
      if !instances.isEmpty {
        let stage = context.stage("Deleting instances", total: instances.count)
        _ = try await inParallel(instances, atMost: 32) { instance in
          try await stage.step(instance.label) { try await delete(instance, $0) }
        }
      }
      let artifacts = context.stage("Removing deployment artifacts", total: 1)
      try await artifacts.step("Deleting the deployment") { _ in
        let addresses = try await records.addresses.list().filter { $0.body.deployment == order.name }
        let schedules = try await records.schedules.list(prefix: "\(order.name)/")
        _ = try await director.engines.store.commit(
          addresses.map { records.addresses.deleting($0.name) } + schedules.map { records.schedules.deleting($0.name) }
            + [records.deployments.deleting(order.name)])
      }
      return "/deployments/\(order.name)"
    }
  }

  /// Runs the errands of `pre-delete`, once in the life of the task.
  private func runErrands() async throws {
    _ = try await context.once("pre-delete is over") {
      let deployment = try await director.records.deployments.get(order.name)?.body
      guard let deployment, let manifest = try await manifest(of: deployment) else { return true }
      let errands = TriggeredErrands(
        director: director, context: context, deployment: order.name, manifest: manifest, point: .preDelete)
      do {
        try await errands.run(goesOn: order.force)
      } catch let failure as DirectorFailure {
        throw DirectorFailure(
          failure.number, status: failure.status,
          "\(failure.description). Nothing was deleted; --force deletes whatever comes of errands")
      }
      return true
    }
  }

  /// What was deployed; nil when it cannot be read any more and that is no reason to keep it.
  private func manifest(of deployment: DeploymentRecord) async throws -> DeploymentManifest? {
    do { return try await director.variables.manifest(of: deployment) } catch let error as DroverError where order.force
    {
      try await context.warn("Its manifest cannot be read, so no errands are run before: \(error)")
      return nil
    }
  }

  private func delete(_ instance: InstanceRecord, _ reporter: StepReporter) async throws {
    let base = try instance.planned(by: context.id)
    let steps = InstanceDeletion(base, deletingDeployment: true).steps
    var worker = InstanceWorker(
      director: director, context: context, record: instance, spec: nil, order: nil, recipe: "", stemcell: "",
      tracking: .init(work: .removal, base: base), report: { try await reporter.status($0) })
    for (index, step) in steps.enumerated() {
      do {
        try await worker.take([step], offset: index)
      } catch let error as TaskCancelled {
        throw error
      } catch {
        // The server stops: that is no failure to go on after.
        guard order.force, !Task.isCancelled else { throw error }
        try await context.warn("\(instance.label): \(error); going on, as '--force' says")
      }
    }
  }
}
