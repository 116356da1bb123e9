import Documents
import Formats
import Manifests
import Releases
import Surroundings

/// Runs the errands that a manifest names for a point of a deploy or a deletion, each in a task of its own under the
/// locks of the task that triggers it.
///
/// What is run, and as which task, is on record before it is started, so that a restarted server starts nothing twice
/// and waits for what runs.
struct TriggeredErrands: Sendable {
  let director: Director
  let context: TaskContext
  let deployment: String
  let manifest: DeploymentManifest
  let point: ErrandTrigger

  /// What is started for an entry, as it was decided.
  private struct Child: Codable, Sendable {
    /// Nil when there is nothing to run.
    var task: Int?
    var run: ErrandRun
  }

  var entries: [ErrandPolicy] { manifest.errands.filter { $0.triggers.contains(point) } }

  /// Starts them in the manifest's order, and waits for those that must have ended before the next thing is done.
  ///
  /// - Parameters:
  ///   - names: the entries that are run; nil for all of this point.
  ///   - instances: ids of the instances that an errand of running instances is run on; nil for all.
  ///   - goesOn: whether the failure of a required errand is only a warning.
  func run(_ names: Set<String>? = nil, on instances: Set<String>? = nil, goesOn: Bool = false) async throws {
    let entries = entries.filter { names?.contains($0.name) ?? true }
    guard !entries.isEmpty else { return }
    let stage = context.stage("Running \(point.rawValue) errands", total: entries.count)
    for entry in entries {
      try context.cancellation.check()
      let child = try await context.once("\(point.rawValue) \(entry.name)") { try await decide(entry, instances) }
      guard let task = child.task else {
        try await stage.step("\(entry.name): none of its instances was made anew") { _ in }
        continue
      }
      do {
        try await stage.step("\(entry.name) runs as task \(task)") { _ in
          try await director.tasks.startOnce(order(entry, child.run), id: task)
          if awaits(entry) { try await wait(for: task, entry) }
        }
      } catch let failure as DirectorFailure where goesOn || !entry.isRequired {
        try await context.warn("\(failure.description); going on")
      }
    }
  }

  /// What is about to be deleted is still needed by an errand, and so that is always waited for.
  private func awaits(_ entry: ErrandPolicy) -> Bool { entry.isRequired || point == .preDelete }

  private func order(_ entry: ErrandPolicy, _ run: ErrandRun) throws -> TaskBoard.Order {
    var order = try TaskBoard.Order(
      type: "run_errand", description: "run errand \(entry.errand) from deployment \(deployment)", user: context.user,
      deployment: deployment, request: ErrandOrder(deployment: deployment, errand: entry.errand, run: run))
    order.parent = context.id
    order.isAwaited = awaits(entry) ? true : nil
    order.cause = TaskCause(.trigger, name: entry.name, point: point.rawValue)
    return order
  }

  private func decide(_ entry: ErrandPolicy, _ instances: Set<String>?) async throws -> Child {
    var run = ErrandRun(entry: entry, of: manifest)
    if let instances, let chosen = try await collocated(entry.errand, on: instances) {
      if chosen.isEmpty { return Child(task: nil, run: run) }
      run.instances = chosen
    }
    return Child(task: try await director.tasks.reserveID(), run: run)
  }

  /// Those of the instances that have the errand's job and are started; nil when it runs on a VM of its own.
  private func collocated(_ errand: String, on instances: Set<String>) async throws -> [ErrandFilter]? {
    let resolved = try await director.storedResolution(director.deployment(deployment), manifest)
    let groups = resolved.groups.filter { group in group.jobs.contains { $0.name == errand && $0.isErrand } }
    guard !groups.isEmpty, groups.allSatisfy({ $0.lifecycle == .service }) else { return nil }
    return groups.flatMap(\.instances).filter { instances.contains($0.id) && $0.state == .started }.map {
      ErrandFilter(group: $0.group, id: $0.id)
    }
  }

  /// - Throws: ``DirectorFailure`` when the errand does not end well.
  private func wait(for task: Int, _ entry: ErrandPolicy) async throws {
    let (tasks, surroundings) = (director.tasks, context.surroundings)
    let record = try await context.cancellation.whileWatched {
      surroundings.task { () async -> Void in try? await tasks.cancel(task) }
    } _: {
      try await tasks.wait(for: task)
    }
    // The server stops: the next one waits again.
    guard record.state.isFinal else { throw CancellationError() }
    try context.cancellation.check()
    guard let problem = try await problem(record) else { return }
    throw DirectorFailure.errand(
      "Errand '\(entry.name)' (\(point.rawValue), task \(task)) \(problem); see what it printed: drover attach \(task)")
  }

  private func problem(_ record: TaskRecord) async throws -> String? {
    switch record.state {
    case .done:
      guard let worst = try await ErrandOutcome.worst(of: director.outcomes(of: record.id)), worst != 0 else {
        return nil
      }
      return "ended with exit code \(worst)"
    case .cancelled: return "was cancelled"
    default: return "failed: \(record.result ?? record.state.rawValue)"
    }
  }
}

extension ErrandRun {
  /// A run to which nobody brings anything: as the entry says; where it is silent, as the entry named like the errand.
  init(entry: ErrandPolicy, of manifest: DeploymentManifest) {
    var run = ErrandRun(waitsForTurn: true).completed(entry)
    if let own = manifest.errands.first(where: { $0.name == entry.errand && $0.errand == entry.errand }) {
      run = run.completed(own)
    }
    self = run
  }
}

extension ResolvedDeployment {
  /// - Throws: when an entry has an errand run that the deployment does not have.
  func refuseUnknownErrands(_ entries: [ErrandPolicy]) throws {
    let names = errandNames
    for entry in entries where !(entry.triggers.isEmpty && entry.schedule == nil) && !names.contains(entry.errand) {
      throw DroverError(
        .invalid,
        "errands: '\(entry.name)' is to run errand '\(entry.errand)', which this deployment does not have"
          + NearNames.hint(entry.errand, among: names), number: 510000)
    }
  }
}
