import Files
import Formats
import Logging
import Processes
import Supervision
import Surroundings

/// Says in instance/drain.json how far every job is with its drain, for other jobs' scripts to wait for
/// (`drover-agent wait-drained`). What cannot be written down hinders no drain.
actor DrainBoard {
  private let layout: VMLayout
  private let ownership: Ownership
  private let surroundings: Surroundings
  private let logger: Logger
  private(set) var drains = JobDrains()

  init(layout: VMLayout, ownership: Ownership, surroundings: Surroundings, logger: Logger) {
    self.layout = layout
    self.ownership = ownership
    self.surroundings = surroundings
    self.logger = logger
  }

  /// Takes up what was said before a restart of the agent, for the jobs that the VM has.
  func know(_ jobs: [String]) {
    do {
      if let bytes = try Files.bytes(layout.drains) { drains = try JobDrains(JSON.parse(bytes)) }
    } catch {
      logger.warning("the drain states of last time cannot be read", metadata: ["error": "\(error)"])
    }
    keep(jobs)
  }

  /// The jobs of the VM are started: nothing asks them to let go any more.
  func started(_ jobs: [String]) {
    for job in jobs { change(job, to: .idle) }
    keep(jobs)
  }

  /// They do not run any more, so there is nothing left to let go of.
  func stopped(_ jobs: [String]) {
    for job in jobs where drains.jobs[job]?.state != .failed { change(job, to: .drained) }
    keep(jobs)
  }

  func note(_ job: String, _ progress: DrainProgress, task: String) {
    switch progress {
    case .draining:
      // An agent that was restarted says it again.
      if drains.jobs[job]?.task == task { return }
      change(job, to: .draining, task: task)
    case .drained: change(job, to: .drained, task: task)
    case .failed(let reason): change(job, to: .failed, task: task, reason: reason)
    }
    write()
  }

  private func change(_ job: String, to state: JobDrain.State, task: String? = nil, reason: String? = nil) {
    var drain = drains.jobs[job] ?? JobDrain()
    if drain.state == state, !drain.since.isEmpty, task == nil || task == drain.task { return }
    drain.state = state
    drain.since = surroundings.now().preciseText
    drain.reason = reason
    if let task { drain.task = task }
    if state == .drained { drain.drainedAt = drain.since }
    drains.jobs[job] = drain
  }

  /// Forgets jobs that the VM does not have, and knows those it has.
  private func keep(_ jobs: [String]) {
    for job in drains.jobs.keys where !jobs.contains(job) { drains.jobs[job] = nil }
    for job in jobs where drains.jobs[job] == nil { change(job, to: .idle) }
    write()
  }

  private func write() {
    do {
      try ownership.folderIfMissing(layout.instance, 0o755)
      try ownership.file(layout.drains, JSON.bytes(drains.value), 0o644)
    } catch {
      logger.warning("cannot write the drain states down", metadata: ["error": "\(error)"])
    }
  }
}
