import Containers
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// A container's bundle, and all that has to be there before runc can start it.
struct Bundle: Sendable {
  let setup: BPMSetup
  let names: JobProcess
  let job: JobConfiguration
  let process: ProcessConfiguration

  /// The process's log files, open.
  typealias Logs = (output: OpenFile, errors: OpenFile)

  /// Makes prerequisites and bundle and runs the hook; of what fails no bundle is left.
  ///
  /// - Parameter signals: goes to the hook while it runs.
  func make(_ log: BPMLog, _ signals: KeptSignals? = nil) async throws -> Logs {
    let user = try setup.vcap()
    var spec = try plan(user)
    try checkLimits()

    log.info("creating-job-prerequisites")
    let logs: Logs
    do {
      try CgroupMounts.setUp()
      let prerequisites = Prerequisites(names: names, process: process, user: user)
      // A shared volume may be locked by others.
      logs =
        process.volumes.contains(where: \.isShared)
        ? try await blocking { try prerequisites.make() } : try prerequisites.make()
    } catch {
      throw DroverError(.failed, "failed to create system files: \(error)")
    }
    log.info("building-spec")
    // Now that volumes are there, patterns may match them.
    spec.unrestrictedVolumes = try VolumeGlob.expand(process.unsafe.unrestrictedVolumes)
    let (oci, duplicates) = spec.build()
    for destination in duplicates { log.info("duplicate-mount", ["mount": .string(destination)]) }

    log.info("creating-bundle")
    do {
      try write(oci)
    } catch {
      try? Files.remove(names.bundle)
      throw DroverError(.failed, "bundle build failure: \(error)")
    }
    do {
      try await runHook(oci.process.environment, logs, signals)
    } catch {
      try? Files.remove(names.bundle)
      throw DroverError(.failed, "prestart hook failed: \(error)")
    }
    return logs
  }

  /// Everything that decides how the container is made, with what can be wrong in it looked at before anything is done.
  func plan(_ user: ContainerSpec.User) throws -> ContainerSpec {
    if let memory = process.limits.memory, MemoryAmount.bytes(memory) == nil {
      throw job.error(MemoryAmount.expectation, process, "limits.memory")
    }
    for (index, volume) in process.unsafe.unrestrictedVolumes.enumerated() {
      do {
        try VolumeGlob.check(volume.path)
      } catch {
        throw job.error("\(error)", process, "unsafe.unrestricted_volumes[\(index)].path")
      }
    }
    if process.syslog, !Files.isVisible("/dev/log") {
      throw job.error("there is no /dev/log on this host", process, "syslog")
    }
    let devices: [OCISpec.Device]
    do {
      devices = try Prerequisites.devices(process, owner: user)
    } catch {
      throw job.error("\(error)", process, "devices")
    }
    return ContainerSpec(
      names: names, process: process, user: user, host: setup.probe.features(),
      unrestrictedVolumes: try VolumeGlob.expand(process.unsafe.unrestrictedVolumes), tini: try setup.tini(),
      devices: devices)
  }

  /// Of limits that the kernel would not give, runc says only that it is not permitted.
  private func checkLimits() throws {
    let room = ResourceRoom.own()
    for (key, value, problem) in [
      ("open_files", process.limits.openFiles, room.problem(ofOpenFiles:)),
      ("core_file_size", process.limits.coreFileSize, room.problem(ofCoreFileSize:)),
    ] {
      if let value, let text = problem(value) { throw job.error(text, process, "limits.\(key)") }
    }
  }

  private func write(_ spec: OCISpec) throws {
    try JobFolders.make(names.bundle, root: names.root)
    let rootfs = "\(names.bundle)/rootfs"
    try JobFolders.make(rootfs, root: names.root, mode: 0o755)
    // Whatever the caller's umask: vcap has to pass it.
    if chmod(rootfs, 0o755) != 0 { throw systemError("chmod \(rootfs)") }
    try Files.replace("\(names.bundle)/config.json", with: JSON.bytes(spec.value), isDurable: false)
  }

  /// On the host, as root, with the container's environment.
  private func runHook(_ environment: [String], _ logs: Logs, _ signals: KeptSignals?) async throws {
    guard let hook = process.preStartHook else { return }
    if hook.isEmpty { throw job.error("exec: no command", process, "hooks") }
    guard try Files.exists(hook) || !hook.contains("/") else {
      throw job.error("fork/exec \(hook): no such file or directory", process, "hooks.pre_start")
    }
    var variables: [String: String] = [:]
    for line in environment {
      guard let equals = line.firstIndex(of: "=") else { continue }
      variables[String(line[..<equals])] = String(line[line.index(after: equals)...])
    }
    let child = try ChildProcess(
      [hook], environment: variables, output: logs.output.descriptor, errors: logs.errors.descriptor)
    signals?.hand { child.signal($0) }
    defer { signals?.keep() }
    switch try await child.ending() {
    case .exited(0): return
    case .exited(let code): throw DroverError(.failed, "exit status \(code)")
    case .signalled(let number): throw DroverError(.failed, "signal \(number)")
    }
  }
}
