import AgentProtocol
import Files
import Formats
import Logging
import Processes
import Supervision
import Surroundings
import Synchronization

/// The machine is about to go: the health monitor is told, jobs are drained and stopped, all within a limit. Jobs that
/// stand still already are left alone, so that nothing is drained twice when a director has stopped them before. Which
/// services are to run is kept: they do when the machine is there again.
struct MachineStop: Sendable {
  /// Where whoever stops the machine says so, and in how many seconds, before the agent is asked to end.
  static let mark = "/run/drover-stopping"

  let paths: VMPaths
  let specs: SpecStore
  let supervisor: any JobSupervisor
  let scripts: LifecycleScripts
  let health: HealthFile
  let publisher: HealthPublisher
  let surroundings: Surroundings
  let logger: Logger
  private let begun = Once()

  init(
    paths: VMPaths, specs: SpecStore, supervisor: any JobSupervisor, scripts: LifecycleScripts, health: HealthFile,
    publisher: HealthPublisher, surroundings: Surroundings, logger: Logger
  ) {
    self.paths = paths
    self.specs = specs
    self.supervisor = supervisor
    self.scripts = scripts
    self.health = health
    self.publisher = publisher
    self.surroundings = surroundings
    self.logger = logger
  }

  /// The limit that a mark holds; nil when there is none, and the agent merely is to be started again. One that cannot be
  /// read is one all the same.
  static func limit(mark path: String = mark) -> Duration? {
    guard (try? Files.isThere(path)) == true else { return nil }
    let text = Files.textIfPresent(path) ?? ""
    let seconds = text.split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) } ?? 15
    return .seconds(min(max(seconds, 1), 3600))
  }

  /// Never throws: whatever cannot be done in time, the machine goes.
  func run(within limit: Duration) async {
    await publisher.announceShutdown()
    let state = await supervisor.jobState()
    guard state != .stopped, let spec = try? await specs.current(), !spec.job.templates.isEmpty, begun.isFirst() else {
      return
    }
    let memory = try? Files.read(paths.supervisorMemory)
    logger.info("draining and stopping jobs, since the machine stops", metadata: ["limit": "\(limit)"])
    let task = "machine-stop-\(surroundings.identifier())"
    // Half of the time for what drains, so that there is some left to stop in order.
    let hasDrained = await ends(within: limit / 2, "draining") {
      try await supervisor.unmonitor()
      try await scripts.drain(
        .shutdown(persistentDisk: spec.persistentDisk, nextPersistentDisk: nil), jobs: spec.job.lifecycleNames,
        task: task)
    }
    if !hasDrained { await scripts.cancelDrain(task: task) }
    _ = await ends(within: limit / 2, "stopping") {
      try await supervisor.stop(waits: true)
      try await health.write(supervisor.jobState())
    }
    // Stopped for now, and not because somebody wants them to be.
    try? Files.remove(paths.stoppedMark)
    if let memory { try? Files.replace(paths.supervisorMemory, with: memory) }
  }

  /// Whether work ends in time, well or not. What does not is left to go on: whoever waits for scripts also ends them.
  private func ends(
    within limit: Duration, _ doing: String, _ body: @escaping @Sendable () async throws -> Void
  ) async -> Bool {
    let (outcomes, report) = AsyncStream.makeStream(of: String?.self)
    Task {
      do {
        try await body()
        report.yield(nil)
      } catch {
        report.yield("\(error)")
      }
    }
    let late = "it takes longer than \(limit)"
    let clock = Task { [surroundings] in
      try? await surroundings.sleep(limit)
      report.yield(late)
    }
    // The first word counts.
    var first: String?
    for await outcome in outcomes {
      first = outcome
      break
    }
    clock.cancel()
    if let first { logger.warning("\(doing) jobs before the machine stops failed", metadata: ["reason": "\(first)"]) }
    return first != late
  }
}

/// Says once that it is the first time.
private final class Once: Sendable {
  private let happened = Mutex(false)

  func isFirst() -> Bool {
    happened.withLock { happened in
      defer { happened = true }
      return !happened
    }
  }
}

/// What to do before the agent ends because the machine stops; known once the agent's parts are.
final class StopHook: Sendable {
  private let stop = Mutex<MachineStop?>(nil)

  func set(_ stop: MachineStop) { self.stop.withLock { $0 = stop } }
  func run(within limit: Duration) async { await stop.withLock { $0 }?.run(within: limit) }
}
