import Containers
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// Starts, stops and runs one process of a job.
///
/// Every command holds the process's lock while it changes something, writes to the job's bpm.log, and gives the lock
/// back however it ends.
public struct Lifecycle: Sendable {
  let setup: BPMSetup
  let names: JobProcess

  public init(_ setup: BPMSetup, job: String, process: String) throws {
    self.setup = setup
    names = try JobProcess(root: setup.root, job: job, process: process)
  }

  static let shutdownTimeout = Duration.seconds(15)
  static let quitGrace = Duration.seconds(2)

  /// Opens bpm.log, takes the lock, and calls.
  func locked<Result: Sendable>(
    _ command: String, _ body: (BPMLog, LockFile) async throws -> Result
  ) async throws -> Result {
    let user = try setup.vcap()
    try JobFolders.make(names.logFolder, root: setup.root, mode: 0o750)
    let log = try BPMLog(names, command: command, owner: user, surroundings: setup.surroundings)
    let lock = try await acquire(log)
    defer { lock.release() }
    log.info("starting")
    defer { log.info("complete") }
    return try await body(log, lock)
  }

  func acquire(_ log: BPMLog) async throws -> LockFile {
    let session = log.session("acquiring-lifecycle-lock")
    session.info("starting")
    defer { session.info("complete") }
    do {
      try JobFolders.make(JobProcess.locksFolder(setup.root), root: setup.root)
      let path = names.lock
      // Nearly always free: then there is no thread to be made for it.
      if let lock = try LockFile.tryAcquire(path) { return lock }
      return try await blocking { try LockFile.acquire(path) }
    } catch {
      session.error("failed-to-acquire-lock", error)
      throw error
    }
  }

  // MARK: - start

  public func start() async throws {
    try await locked("start") { log, _ in
      let (job, process) = try configuration(log)
      guard try await clear(log, process) else { return }
      let session = log.session("start-process")
      session.info("starting")
      defer { session.info("complete") }
      do {
        try await launch(job, process, session)
      } catch {
        log.error("failed-to-start", error)
        throw DroverError(.failed, "failed to start job-process: \(error)")
      }
    }
  }

  private func launch(_ job: JobConfiguration, _ process: ProcessConfiguration, _ log: BPMLog) async throws {
    let runc = try RuncRunner(setup)
    let bundle = Bundle(setup: setup, names: names, job: job, process: process)
    let logs = try await bundle.make(log)
    do {
      log.info("running-container")
      let runcLog = "\(names.bundle)/runc.log"
      let command = Runc.Command.run(
        id: names.containerID, bundle: names.bundle, pidFile: names.pidfile, detach: true)
      let ending = try await ChildProcess(
        runc.line(command, log: runcLog), output: logs.output.descriptor, errors: logs.errors.descriptor
      ).ending()
      let said = (try? Files.read(runcLog)) ?? []
      try? Files.remove(runcLog)
      if ending != .exited(0) { throw DroverError(.failed, RuncRunner.reason(said, ending)) }
    } catch {
      await abandon(runc)
      throw error
    }
  }

  /// Leaves nothing of a start that failed.
  func abandon(_ runc: RuncRunner) async {
    if Files.isVisible(setup.observer.folder(names.containerID)) {
      try? await runc.perform(.delete(id: names.containerID, force: true))
    }
    try? Files.remove(names.bundle)
    try? Files.remove(names.pidfile)
  }

  // MARK: - What start and run have in common

  /// The configured process, whose container's id no other process has.
  func configuration(_ log: BPMLog) throws -> (JobConfiguration, ProcessConfiguration) {
    let job: JobConfiguration
    do {
      job = try JobConfiguration(root: setup.root, job: names.job)
    } catch {
      log.error("failed-to-parse-config", error)
      throw DroverError(.invalid, "failed to parse job configuration: \(error)")
    }
    do {
      let process = try job.process(names.process)
      try refuseNamesakes()
      return (job, process)
    } catch {
      log.error("process-not-defined", error)
      throw error
    }
  }

  private func refuseNamesakes() throws {
    guard names.name.contains(".") else { return }
    for other in names.namesakes {
      guard let job = try? JobConfiguration(root: setup.root, job: other.job),
        job.processes.contains(where: { $0.name == other.process })
      else { continue }
      throw DroverError(
        .conflict,
        "process \(names.process) of job \(names.job) and process \(other.process) of job \(other.job) would have the "
          + "same container (\(names.containerID)); rename one of them")
    }
  }

  /// Removes what an earlier container has left. Returns whether the way is free: false when the process runs already.
  func clear(_ log: BPMLog, _ process: ProcessConfiguration) async throws -> Bool {
    let found = setup.observer.observe(names.containerID)
    switch found.status {
    case .running:
      log.info("process-already-running")
      return false
    case .absent:
      // A record that is gone as a whole may have had a process, too.
      let leftovers = Leftovers(names: names, cgroupsPath: setup.cgroupsPath(of: names))
      if try leftovers.living(nil).isEmpty { return true }
      try await recover(log, found, process)
    case .broken: try await recover(log, found, process)
    case .created, .paused, .stopped:
      log.info("removing-stopped-process")
      do {
        try await remove(log, found)
      } catch {
        log.error("failed-to-cleanup", error)
        throw DroverError(.failed, "failed to clean up stale job-process: \(error)")
      }
    }
    return true
  }

  /// Ends what lives of a container that runc has no good record of, and removes the record.
  func recover(
    _ log: BPMLog, _ found: ContainerObserver.Observation, _ process: ProcessConfiguration?
  ) async throws {
    let leftovers = Leftovers(names: names, cgroupsPath: setup.cgroupsPath(of: names))
    let living = try leftovers.living(found.state)
    let folder = setup.observer.folder(names.containerID)
    log.error(
      "failed-getting-job",
      DroverError(
        .corrupt,
        "runc's record in \(folder) is \(found.status == .absent ? "gone" : "empty or damaged"); "
          + (living.isEmpty ? "no process of the container lives" : "ending its processes \(living)")))
    do {
      try await leftovers.end(
        found.state, signal: Self.signal(process), within: process?.shutdownTimeout ?? Self.shutdownTimeout,
        setup.surroundings)
      try Files.remove(folder)
      try removeFiles(log)
    } catch {
      log.error("failed-cleaning-up-broken-job", error)
      throw DroverError(.failed, "failed to clean up stale job-process: \(error)")
    }
  }

  static func signal(_ process: ProcessConfiguration?) -> Int32 {
    process?.shutdownSignal == "INT" ? SIGINT : SIGTERM
  }

  /// Removes a container with whatever is left of it, its bundle and its pidfile.
  func remove(_ log: BPMLog, _ found: ContainerObserver.Observation) async throws {
    log.info("forcefully-deleting-container")
    let folder = setup.observer.folder(names.containerID)
    if found.isReplaced {
      // runc would kill the process that has the pid now.
      Leftovers(names: names, cgroupsPath: nil).removeFolders(found.state)
      try Files.remove(folder)
    } else if try Files.exists(folder) {
      try await RuncRunner(setup).perform(.delete(id: names.containerID, force: true))
    }
    try removeFiles(log)
  }

  private func removeFiles(_ log: BPMLog) throws {
    log.info("destroying-bundle")
    try Files.remove(names.bundle)
    log.info("deleting-pidfile")
    try Files.remove(names.pidfile)
  }
}
