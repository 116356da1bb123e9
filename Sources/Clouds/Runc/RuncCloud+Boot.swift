import Containers
import Files
import Formats
import Glibc
import Logging
import Processes
import Surroundings

/// Starting and ending the container of a VM.
extension RuncCloud {
  /// Starts a VM that is on record and does not run, and records its process. Whatever is left of a container of that
  /// name is removed first.
  func boot(_ record: VMRecord) async throws -> VMRecord {
    var record = record
    let folder = folder(record.id)
    try await removeContainer(record.id)
    try await ensureNetworks(record.networks)
    let host = try HostFeatures.read()
    let stemcell = "\(stemcellFolder(record.stemcell))/rootfs"
    guard try Files.exists("\(stemcell)/sbin/init") else {
      throw CloudError(.vmCreationFailed, "starting \(record.id): stemcell \(record.stemcell) has no /sbin/init")
    }
    let spec = VMSpec.make(
      hostname: String(record.agentID.prefix(63)), cgroup: cgroup(record.id), resources: record.resources,
      paths: VMSpec.Paths(root: folder.root, data: folder.data), host: host)
    try Files.replace("\(folder.bundle)/config.json", with: spec.encoded())
    let pid = try await create(record.id, folder, stemcell)
    do {
      guard let process = ProcessIdentity(livingPid: pid) else {
        throw CloudError(.vmCreationFailed, "starting \(record.id): its first process \(pid) ended at once")
      }
      record.process = VMRecord.Init(pid: pid, startTicks: process.startTicks, bootID: process.bootID)
      try folder.write(record)
      try await connect(record, pid: pid)
      let namespace = VMNamespace(pid: pid)
      for path in VMSpec.writableSysctls { try namespace.makeWritable(path) }
      try await showDisks(of: record, in: namespace)
      try await runc.perform(.start(id: record.id))
    } catch {
      try? await removeContainer(record.id)
      throw error
    }
    return record
  }

  /// `runc create` in a mount namespace of its own, where the overlay is mounted: so it is mounted nowhere on the host
  /// and goes with the container. The lock is held as long as this runs, whatever happens to us.
  private func create(_ id: String, _ folder: VMFolder, _ stemcell: String) async throws -> Int {
    let script = """
      mount -t overlay -o "$1" drover "$2" || exit 1
      console=$3; shift 3
      exec "$@" >>"$console" 2>&1 </dev/null
      """
    let creator = Runc(
      executable: runc.executable, root: runc.root, newLogPath: runc.newLogPath, takeLog: runc.takeLog,
      run: { invocation in
        let result = try await Processes.Command(
          [
            "flock", "--close", folder.creationLock, "unshare", "--mount", "--propagation", "slave", "sh", "-c",
            script, "sh", "lowerdir=\(stemcell),upperdir=\(folder.upper),workdir=\(folder.work)", folder.root,
            folder.console, invocation.executable,
          ] + invocation.arguments
        ).result()
        return Runc.Outcome(status: result.status, standardOutput: result.output, standardError: result.errors)
      })
    try Files.makeFolder(runc.root, mode: 0o700)
    try await creator.perform(.create(id: id, bundle: folder.bundle, pidFile: folder.pidFile))
    guard let pid = Files.textIfPresent(folder.pidFile).flatMap({ Int($0) }) else {
      throw CloudError(.vmCreationFailed, "starting \(id): runc wrote no process id to \(folder.pidFile)")
    }
    return pid
  }

  /// The VM's PID 1 while it runs.
  func runningProcess(_ record: VMRecord) -> ProcessIdentity? {
    guard let process = record.process else { return nil }
    let identity = ProcessIdentity(pid: process.pid, startTicks: process.startTicks, bootID: process.bootID)
    return identity.isAlive ? identity : nil
  }

  /// Ends a VM: its init stops the services, and what is left after a while is killed.
  func halt(_ record: VMRecord) async throws {
    if let process = runningProcess(record) {
      await stopJobs(of: record.id)
      try process.signal(SIGTERM)
      if try await !process.waitForExit(atMost: configuration.shutdownTimeout, in: surroundings) {
        logger.warning("VM did not stop in time and is killed", metadata: ["vm": "\(record.id)"])
      }
    }
    try await removeContainer(record.id)
  }

  /// Has the agent drain and stop its jobs, as long as it may take; it is told how long. A VM that has no agent, or whose
  /// jobs stand still already, loses no time.
  private func stopJobs(of vm: String) async {
    let seconds = max(1, Int(configuration.shutdownTimeout.components.seconds) * 2 / 3)
    let script =
      "[ -d /etc/sv/agent ] || exit 0; echo \(seconds) >/run/drover-stopping; exec sv -w \(seconds) stop agent"
    let arguments = runc.arguments(
      for: .exec(
        id: vm, terminal: false, environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        user: nil, arguments: ["sh", "-c", script]), log: "/dev/null")
    var command = Processes.Command([configuration.runc] + arguments)
    command.timeout = configuration.shutdownTimeout
    if let result = try? await command.result(), result.succeeded { return }
    logger.warning("the jobs of a VM could not be stopped in order", metadata: ["vm": "\(vm)"])
  }

  /// Kills what runs of a container and removes it with its cgroups. No container is fine.
  func removeContainer(_ id: String) async throws {
    let folder = folder(id)
    if try Files.exists(folder.path) { try await acquire(folder.creationLock).release() }
    if let pid = Files.textIfPresent(folder.pidFile).flatMap({ Int($0) }), let record = try? folder.readRecord(),
      let process = runningProcess(record), process.pid == pid
    {
      // Waiting for a pidfd is quicker than runc, which looks every 100 ms.
      try process.signal(SIGKILL)
      _ = try await process.waitForExit(atMost: .seconds(10), in: surroundings)
    }
    if try Files.exists("\(runc.root)/\(id)") {
      do {
        try await runc.perform(.delete(id: id, force: true))
      } catch {
        // A state that runc can't read (power cut while it was written) must not make a VM undeletable.
        guard try !Cgroups.holdsProcesses(cgroup(id)) else { throw error }
        logger.warning("removing a broken container", metadata: ["vm": "\(id)", "error": "\(error)"])
        try Files.remove("\(runc.root)/\(id)")
      }
    }
    try await Cgroups.remove(cgroup(id), in: surroundings)
    try? Files.remove(folder.pidFile)
  }
}
