import AgentProtocol
import Formats
import Messaging
import Supervision
import Surroundings
import Synchronization

/// Lets jobs finish what they do: nothing is watched any more, then every drain script runs (reference/agent.md 13).
struct DrainAction: AgentAction {
  let specs: SpecStore
  let supervisor: any JobSupervisor
  let scripts: LifecycleScripts
  let health: HealthFile
  let publisher: HealthPublisher
  let board: DrainBoard
  let settings: SettingsStore
  let surroundings: Surroundings
  let method = AgentMethod.drain
  let traits = ActionTraits(isAsynchronous: true, order: .serial, isCancellable: true)

  func run(_ call: TaskCall) async throws -> Value {
    let kind = try call.string(0, "drain type")
    let next = try call.reading { try call.optional(1).map(ApplySpec.init) }
    let current = try await specs.current()
    let request: DrainRequest
    switch DrainKind(rawValue: kind) {
    case .update:
      guard call.arguments.count > 1 else { throw DroverError(.invalid, "Drain update requires new spec") }
      // Null is a spec with nothing in it, as the Go agent has it.
      let next = next ?? ApplySpec()
      request = .update(from: Self.drainSpec(current), to: Self.drainSpec(next))
    case .shutdown:
      await publisher.announceShutdown()
      request = .shutdown(persistentDisk: current.persistentDisk, nextPersistentDisk: next?.persistentDisk)
    case nil:
      throw DroverError(.invalid, "Unexpected call with drain type '\(kind.prefix(100))'")
    }
    try await supervisor.unmonitor()
    try await health.write(supervisor.jobState())
    try await drain(request, current.job.lifecycleNames, call)
    return 0
  }

  /// Drains; a task that is asked to stop ends well, as the Go agent's does.
  private func drain(_ request: DrainRequest, _ jobs: [String], _ call: TaskCall) async throws {
    let flag = Ended()
    let limit = await settings.current.document.env.drainTimeout
    defer { flag.set() }
    do {
      try await call.cancellation.during {
        // Repeated, since the scripts may not have begun yet.
        Task {
          while !flag.isSet {
            await scripts.cancelDrain(task: call.taskID)
            try? await surroundings.sleep(.milliseconds(100))
          }
        }
      } _: {
        try await scripts.drain(request, jobs: jobs, task: call.taskID, limit: limit) { job, progress in
          await board.note(job, progress, task: call.taskID)
        }
      }
    } catch let error as DroverError where error.code == .cancelled {
      return
    }
  }

  private static func drainSpec(_ spec: ApplySpec) -> DrainRequest.Spec {
    DrainRequest.Spec(
      jobs: spec.jobs.filter { !$0.isErrand }.map(\.name), configurationHash: spec.configurationHash,
      packages: Dictionary(spec.packages.map { ($0.name, $0.sha1) }, uniquingKeysWith: { _, last in last }),
      persistentDisk: spec.persistentDisk)
  }

  private final class Ended: Sendable {
    private let state = Mutex(false)
    var isSet: Bool { state.withLock { $0 } }
    func set() { state.withLock { $0 = true } }
  }
}
