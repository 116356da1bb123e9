import CLinux
import Containers
import Files
import Formats
import Glibc
import Processes
import Surroundings

extension Lifecycle {
  /// Runs the process until it ends, with its output on this process's own as well as in its log files. Signals that
  /// this process gets are the process's.
  ///
  /// The lock is held until the container runs, so that `stop` can end it, and again to tidy up.
  ///
  /// - Returns: the exit status of the process; nil when it ran already and nothing was done.
  public func run(volumes: [String], variables: [String]) async throws -> Int? {
    try await locked("run") { log, lock in
      let (job, configured) = try configuration(log)
      let process = try adding(volumes, variables, to: configured, of: job, log)
      guard try await clear(log, process) else { return nil }
      let session = log.session("run-process")
      session.info("starting")
      defer { session.info("complete") }
      do {
        return try await runToItsEnd(job, process, session, lock)
      } catch {
        log.error("failed-to-start", error)
        throw DroverError(.failed, "failed to run job-process: \(error)")
      }
    }
  }

  private func adding(
    _ volumes: [String], _ variables: [String], to process: ProcessConfiguration, of job: JobConfiguration,
    _ log: BPMLog
  ) throws -> ProcessConfiguration {
    var process = process
    do {
      process.volumes += try volumes.map(RunOverrides.volume)
      try job.check(process, root: setup.root)
    } catch {
      log.error("invalid-volume-definition", error)
      throw error
    }
    do {
      for variable in try variables.map(RunOverrides.variable) {
        process.environment[variable.name] = variable.value
      }
    } catch {
      log.error("invalid-environment-definition", error)
      throw error
    }
    return process
  }

  private func runToItsEnd(
    _ job: JobConfiguration, _ process: ProcessConfiguration, _ log: BPMLog, _ lock: LockFile
  ) async throws -> Int {
    let runc = try RuncRunner(setup)
    let forwarding = try SignalForwarding()
    defer { forwarding.stop() }
    let signals = forwarding.signals
    let bundle = Bundle(setup: setup, names: names, job: job, process: process)
    let logs: Bundle.Logs
    do {
      logs = try await bundle.make(log, signals)
    } catch {
      guard let number = signals.ending else { throw error }
      log.error("interrupted", error)
      return 128 + Int(number)
    }
    if let number = signals.ending {
      // Somebody wants it to end before it has begun.
      try Files.remove(names.bundle)
      return 128 + Int(number)
    }
    log.info("running-container")
    let runcLog = "\(names.bundle)/runc.log"
    let started = "\(names.bundle)/started.pid"
    let output = try OutputCopier(to: logs.output, STDOUT_FILENO)
    let errors = try OutputCopier(to: logs.errors, STDERR_FILENO)
    let child: ChildProcess
    do {
      child = try ChildProcess(
        runc.line(
          .run(id: names.containerID, bundle: names.bundle, pidFile: started, detach: false), log: runcLog),
        output: output.input, errors: errors.input)
    } catch {
      await abandon(runc)
      throw error
    }
    async let copied: Void = copy(output, errors)
    let waiting = Task { try await child.ending() }
    // Until here it is runc that fails, afterwards it is the process.
    let hasStarted = try await waitUntilStarted(child, started, signals)
    lock.release()
    if let first = try Pidfile(started).process() { try await waitUntilHeeding(first) }
    signals.hand { child.signal($0) }
    let ending = try await waiting.value
    try await copied
    let said = (try? Files.read(runcLog)) ?? []
    try await tidy(runc, log)
    let status =
      switch ending {
      case .exited(let code): code
      case .signalled(let number): 128 + number
      }
    if status != 0, !hasStarted {
      throw DroverError(.failed, RuncRunner.reason(said, ending))
    }
    return status
  }

  /// Waits until runc has told the pid of the container's first process. Returns false when runc has ended without that.
  private func waitUntilStarted(
    _ runc: ChildProcess, _ pidfile: String, _ signals: KeptSignals
  ) async throws -> Bool {
    var kept = 0
    while !Files.isVisible(pidfile), ProcessIdentity(livingPid: runc.pid) != nil {
      try await setup.surroundings.sleep(.milliseconds(3))
      // runc would die of a signal and leave half a container; but when it hangs, it has to go.
      kept += signals.hasKept ? 1 : 0
      if kept == 2000 { signals.hand { runc.signal($0) } }
    }
    return Files.isVisible(pidfile)
  }

  private func copy(_ output: OutputCopier, _ errors: OutputCopier) async throws {
    async let first: Void = blocking { try output.run() }
    async let second: Void = blocking { try errors.run() }
    _ = try await (first, second)
  }

  /// Removes the bundle, unless somebody has started the process again in the meantime.
  private func tidy(_ runc: RuncRunner, _ log: BPMLog) async throws {
    let lock = try await acquire(log)
    defer { lock.release() }
    let found = setup.observer.observe(names.containerID)
    switch found.status {
    case .running, .created, .paused: return
    case .absent, .stopped, .broken: await abandon(runc)
    }
  }
}
