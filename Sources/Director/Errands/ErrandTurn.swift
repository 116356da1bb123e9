import Releases
import Surroundings

/// The turn of a run that leases something: it asks the pools when the runs of the same errand before it have ended, and
/// only when there is a reason to run at all.
struct ErrandTurn: Sendable {
  let director: Director
  let context: TaskContext
  let order: ErrandOrder
  let wants: [ErrandLease]

  /// Waits for the turn.
  func comes() async throws -> ErrandChanges.Decision {
    // It holds something already.
    if context.hasBegun { return .run }
    // Those may wait for the locks that one has which another task has started.
    if context.parent == nil { try await waitForOthers() }
    guard order.run.whenChanged else { return .run }
    let deployment = try await director.deployment(order.deployment)
    guard let manifest = try await director.variables.manifest(of: deployment) else { return .run }
    let resolved = try await director.storedResolution(deployment, manifest, task: context.id)
    let targets = try resolved.errand(order.errand, order.run).targets
    return try await ErrandChanges(director: director, context: context, order: order, wants: wants)
      .begin(targets, of: resolved)
  }

  private func waitForOthers() async throws {
    let id = context.id
    let others = try await director.tasks.tasks(in: TaskRecord.State.unfinished) { task in
      task.type == "run_errand" && task.id < id && task.deployment == order.deployment
    }
    for task in others.reversed() {
      let other = try task.request(as: ErrandOrder.self)
      guard other.errand == order.errand, order.run.mayMeet(other.run) else { continue }
      try await context.warn("Waiting for task \(task.id): \(task.description)")
      while try await !director.hasEnded(task: task.id) {
        try context.cancellation.check()
        try await context.surroundings.sleep(.milliseconds(500))
      }
    }
  }
}
