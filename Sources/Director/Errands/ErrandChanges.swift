import Digests
import Documents
import Formats
import Releases

/// What an errand last ran on with success. Kind `errand-state`, named `DEPLOYMENT/ERRAND`.
struct ErrandStateRecord: Codable, Sendable, Hashable {
  /// Empty while a run is under way, and after one that did not end well.
  var digest: String
}

/// Whether there is a reason to run an errand again (`--when-changed`, reference/director.md D.3).
struct ErrandChanges: Sendable {
  /// The result of a task that had no reason to run anything.
  static let skipped = "skipped - no changes detected"

  enum Decision: String, Codable, Sendable { case run, unchanged }

  let director: Director
  let context: TaskContext
  let order: ErrandOrder
  /// What it leases: which resource it gets each time is no reason.
  var wants: [ErrandLease] = []

  private var name: String { "\(order.deployment)/\(order.errand)" }

  /// Decides, once in the life of the task; from here on the last success is forgotten unless nothing is run.
  func begin(_ targets: [ErrandSelection.Target], of resolved: ResolvedDeployment) async throws -> Decision {
    try await context.once("when changed") {
      let last = try await director.records.errandStates.get(name)?.body.digest ?? ""
      if order.run.whenChanged, !last.isEmpty, try await digest(wanted(targets, resolved)) == last {
        try await context.warn("Errand '\(order.errand)' is skipped: nothing has changed since it last succeeded")
        return .unchanged
      }
      try await director.records.errandStates.put(name, ErrandStateRecord(digest: ""))
      return .run
    }
  }

  /// Notes a success.
  func end(
    _ outcomes: [ErrandOutcome], _ targets: [ErrandSelection.Target], of resolved: ResolvedDeployment
  ) async throws {
    guard !outcomes.isEmpty, outcomes.allSatisfy({ $0.exitCode == 0 && $0.failure == nil }) else { return }
    let states = wants.isEmpty ? outcomes.map { ($0.id, $0.state ?? "") } : try await wanted(targets, resolved)
    try await director.records.errandStates.put(name, ErrandStateRecord(digest: digest(states)))
  }

  /// What an instance is configured with, as far as an errand can tell.
  static func state(_ fingerprint: InstanceFingerprint?) -> String {
    guard let fingerprint else { return "" }
    return "\(fingerprint.configuration) \(fingerprint.jobs) \(fingerprint.packages)"
  }

  private func wanted(
    _ targets: [ErrandSelection.Target], _ resolved: ResolvedDeployment
  ) async throws -> [(id: String, state: String)] {
    let renderer = InstanceRenderer(
      director: director, resolved: resolved, leases: LeasesInHand.placeholder(wants))
    return try await targets.asyncMap { target in
      let instance = target.instance
      guard target.needsVM else { return (instance.id, Self.state(instance.current?.fingerprint)) }
      let rendered = InstanceRenderer.digests(of: try await renderer.render(instance))
      return (instance.id, Self.state(resolved.fingerprint(of: instance, rendered: rendered)))
    }
  }

  private func digest(_ states: [(id: String, state: String)]) -> String {
    let instances = states.sorted { $0.id < $1.id }.map { Value.array([.string($0.id), .string($0.state)]) }
    let environment = order.run.environment.sorted { $0.key < $1.key }.map { ($0.key, Value.string($0.value)) }
    let all: Value = [
      .array(instances), Value(order.run.arguments), .object(ValueObject(environment)),
    ]
    return DigestHasher.hex(.sha256, JSON.bytes(all))
  }
}
