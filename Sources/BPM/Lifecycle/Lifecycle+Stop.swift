import Files
import Formats
import Glibc
import Processes
import Surroundings

extension Lifecycle {
  /// Ends the process and removes its container. What does not run is fine, and so is a bpm.yml that is gone or broken:
  /// then the process gets what it would get by default.
  public func stop() async throws {
    try await locked("stop") { log, _ in
      let found = setup.observer.observe(names.containerID)
      let process = found.status == .absent ? nil : configured(log)
      switch found.status {
      case .absent:
        let leftovers = Leftovers(names: names, cgroupsPath: setup.cgroupsPath(of: names))
        if try leftovers.living(nil).isEmpty {
          log.info("job-already-stopped")
          return
        }
        try await recover(log, found, configured(log))
      case .broken: try await recover(log, found, process)
      case .created, .running, .paused, .stopped:
        if let living = found.process {
          // A frozen process would not heed its signal, and be killed when its time is over.
          if found.status == .paused { Leftovers(names: names, cgroupsPath: nil).thaw(found.state) }
          do {
            try await end(living, process, log)
          } catch {
            log.error("failed-to-stop", error)
          }
        }
        do {
          try await remove(log, found)
        } catch {
          log.error("failed-to-cleanup", error)
          throw DroverError(.failed, "failed to cleanup job-process: \(error)")
        }
      }
    }
  }

  private func configured(_ log: BPMLog) -> ProcessConfiguration? {
    do {
      return try JobConfiguration(root: setup.root, job: names.job).process(names.process)
    } catch {
      log.error("failed-to-parse-config", error)
      return nil
    }
  }

  /// Asks the container's first process to end; when its time is over asks for a last sign of life (SIGQUIT, on which
  /// many runtimes print their stacks), and leaves the rest to ``remove(_:_:)``.
  private func end(_ living: ProcessIdentity, _ process: ProcessConfiguration?, _ log: BPMLog) async throws {
    try await waitUntilHeeding(living)
    try living.signal(Self.signal(process))
    let limit = process?.shutdownTimeout ?? Self.shutdownTimeout
    if try await living.waitForExit(atMost: limit, in: setup.surroundings) { return }
    do {
      try living.signal(SIGQUIT)
    } catch {
      log.error("failed-to-sigquit", error)
    }
    _ = try await living.waitForExit(atMost: Self.quitGrace, in: setup.surroundings)
    throw DroverError(.timeout, "failed to stop job within timeout")
  }

  /// The kernel keeps signals from the first process of a pid namespace that it has not prepared for. Right after a
  /// start that is runc still, or a tini that has just begun; a signal would be lost then, and the stop take all its
  /// time. Waits for a second at most.
  func waitUntilHeeding(_ process: ProcessIdentity) async throws {
    for _ in 0..<500 where process.isAlive {
      if Self.heeds(process.pid) { return }
      try await setup.surroundings.sleep(.milliseconds(2))
    }
  }

  /// Whether a process is no more runc's own and has started another one, before which tini prepares for signals.
  static func heeds(_ pid: Int) -> Bool {
    guard let name = ProcessStat.read(pid: pid)?.name, !name.hasPrefix("runc") else { return false }
    // Kernels that do not tell are not waited for.
    guard let children = Files.textIfPresent("/proc/\(pid)/task/\(pid)/children") else { return true }
    return children.contains(where: \.isNumber)
  }
}
