import Containers
import Files
import Formats
import Logging
import Processes

/// What is done with everything at once: at the start of a server, at its end, and when it goes for good.
extension RuncCloud {
  /// Brings the cloud to what its records say: VMs that should run and don't (after a reboot of the host, or stopped
  /// with the server) are started again with the same files, address and disks; half-made ones and strays are removed.
  /// To be called once at start, before other calls.
  ///
  /// A VM that can't be started is logged and does not keep others from it.
  public func recover() async throws {
    try checkConfiguration()
    for name in try Files.names(in: "\(directory)/stemcells") where name.hasPrefix(".new-") {
      try await locked(.stemcell(String(name.dropFirst(".new-".count)))) {
        _ = try await Command("rm", "-rf", "--one-file-system", "\(directory)/stemcells/\(name)").run()
      }
    }
    try await locked(.networks) {
      var host = try hostNetworks()
      if host != HostNetworks() { try await makeNetworks(&host) }
    }
    try await removeStrayInterfaces(keeping: Set(try Files.names(in: "\(directory)/vms")))
    try await eachVM { try await recover($0) }
    try removeStrayLogs()
  }

  /// ``recover()``, once after each start of the host; for processes that live for a call only. Calls at the same time
  /// wait for it. What a killed call has left of a VM is removed by the next call about it, so nothing is lost between.
  public func recoverAfterBoot() async throws {
    try checkConfiguration()
    let boot = try Files.read("/proc/sys/kernel/random/boot_id")
    let marker = "\(directory)/recovered-at-boot"
    func isDone() -> Bool { (try? Files.read(marker)) == boot }
    guard !isDone() else { return }
    try await locked(.recovery) {
      guard !isDone() else { return }
      if try Files.exists("\(directory)/vms") { try await recover() }
      try Files.replace(marker, with: boot)
    }
  }

  private func recover(_ vm: String) async throws {
    try await locked(.vm(vm)) {
      let folder = folder(vm)
      guard try Files.exists(folder.path) else { return }
      let record: VMRecord?
      do { record = try folder.readRecord() } catch {
        logger.error("the record of a VM can't be read", metadata: ["vm": "\(vm)", "error": "\(error)"])
        return
      }
      guard let record, record.phase == .made || record.phase == .stopped else {
        logger.info("removing a VM that was not finished", metadata: ["vm": "\(vm)"])
        return try await remove(vm)
      }
      if record.phase == .made, runningProcess(record) != nil { return }
      logger.info("starting a VM again", metadata: ["vm": "\(vm)"])
      var booted = try await boot(record)
      booted.phase = .made
      try folder.write(booted)
    }
  }

  /// Stops every VM and keeps everything, so that ``recover()`` starts them again.
  public func stopAll() async throws {
    try await eachVM { vm in
      try await locked(.vm(vm)) {
        guard var record = try folder(vm).readRecord(), record.phase == .made else { return }
        record.phase = .stopped
        try folder(vm).write(record)
        try await halt(record)
      }
    }
  }

  /// Removes everything that this cloud ever made: VMs, disks, stemcells, bridges, rules and addresses.
  public func destroyAll() async throws {
    try checkConfiguration()
    try await eachVM { vm in try await locked(.vm(vm)) { try await remove(vm) } }
    if let left = try Files.names(in: "\(directory)/vms").first {
      throw DroverError(.failed, "removing all of \(directory): \(left) is still there; the log says why")
    }
    // The kernel lets go of the disks of VMs that were killed a moment later.
    for disk in try Files.names(in: "\(directory)/disks") { _ = try await image(disk).waitUntilFree() }
    try await removeNetworks()
    try await Cgroups.remove(cgroup(), in: surroundings)
    try await Command("rm", "-rf", "--one-file-system", directory).run()
  }

  /// Does something with every VM, a few at a time. One that fails is logged and does not stop the others.
  private func eachVM(_ body: @escaping @Sendable (String) async throws -> Void) async throws {
    var remaining = try Files.names(in: "\(directory)/vms")[...]
    await withTaskGroup(of: Void.self) { group in
      func next() {
        guard let vm = remaining.popFirst() else { return }
        group.addTask {
          do { try await body(vm) } catch {
            logger.error("a VM could not be handled", metadata: ["vm": "\(vm)", "error": "\(error)"])
          }
        }
      }
      for _ in 0..<4 { next() }
      while await group.next() != nil { next() }
    }
  }

  private func removeStrayLogs() throws {
    for name in try Files.names(in: runc.root) where name.hasPrefix("log-") {
      try Files.remove("\(runc.root)/\(name)")
    }
  }
}
