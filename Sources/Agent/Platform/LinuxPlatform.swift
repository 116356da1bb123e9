import AgentProtocol
import Formats
import Glibc
import Logging
import Processes
import Surroundings

/// A VM with a kernel of its own: what a stemcell leaves to its agent (reference/agent.md 5, 17 to 19).
struct LinuxPlatform: Platform {
  let name = "ubuntu"
  let layout: VMLayout
  let ownership: Ownership
  let options: LinuxOptions
  let disks: any DiskAttachment
  let surroundings: Surroundings
  let logger: Logger
  /// Empty on a real machine.
  let root: String

  func prepare(_ settings: EffectiveSettings, cloudKey: String?) async throws {
    let plan = LinuxPlan(settings: settings, options: options, layout: layout)
    let steps = MachineSteps(layout: layout, ownership: ownership, root: root, logger: logger)
    umask(0o022)
    try await steps.perform([.runIfPresent("\(layout.bosh)/bin/bosh-agent-rc", mayFail: false)])
    if root.isEmpty { try await VMUsers.apply(settings.document.env, cloudKey: cloudKey) }
    try await steps.perform(plan.ipv6(sysctl: Files.textIfPresent(root + LinuxPlan.sysctlFile)))
    try await steps.perform(plan.naming(hostsConfigured: hostsConfigured))
    try await network(settings, steps)
    try await steps.perform(ephemeralDisk(settings))
    try await steps.perform([.folder(layout.data, mode: 0o750)] + plan.places() + plan.time())
    try await steps.perform([
      .runIfPresent("\(layout.bosh)/bin/bosh-start-logging-and-auditing", mayFail: false)
    ])
    try await steps.perform(plan.memory())
    try Directories.make(layout, ownership)
    try Directories.removeLeftovers(layout)
    try await steps.perform(plan.removals { Files.textIfPresent("\(layout.etc)/\($0)") })
    try await steps.perform(LinuxPlan.notDone.map(MachineStep.note))
  }

  private var hostsConfigured: Bool {
    let state = Files.textIfPresent(layout.agentState).flatMap { try? JSON.parse($0) }
    return state?["Linux"]?["hosts_configured"]?.bool ?? false
  }

  // MARK: Networks

  private func network(_ settings: EffectiveSettings, _ steps: MachineSteps) async throws {
    let present = try Files.names(in: root + NetworkPlan.folder)
    let plan = try NetworkPlan(settings.document.networks, interfaces: Self.interfaces(), present: present)
    let current = plan.files.keys.compactMap { path in Files.textIfPresent(root + path).map { (path, $0) } }
    let resolver: NetworkPlan.Resolver =
      options.serviceManager == "systemd"
      ? .resolved : Links.isFolder("\(root)/etc/resolvconf/resolv.conf.d") ? .resolvconf : .plain
    try await steps.perform(
      plan.steps(
        current: Dictionary(current, uniquingKeysWith: { first, _ in first }), resolver: resolver,
        restart: "\(layout.bosh)/bin/restart_networking"))
    if root.isEmpty { await verify(plan.addresses) }
  }

  /// Network interfaces of hardware, sorted by name.
  static func interfaces() -> [NetworkPlan.Interface] {
    ((try? Files.names(in: "/sys/class/net")) ?? []).filter { Links.isAnything("/sys/class/net/\($0)/device") }
      .map { name in
        let mac = (Files.textIfPresent("/sys/class/net/\(name)/address") ?? "").prefix { !$0.isWhitespace }
        return NetworkPlan.Interface(name: name, mac: mac.lowercased())
      }
  }

  /// The addresses may take some seconds. Without them the agent goes on all the same: the bus says whether it can.
  private func verify(_ addresses: [String: [String]]) async {
    for (interface, wanted) in addresses {
      for attempt in 1...10 {
        let shown = (try? await Command("ip", "-o", "addr", "show", "dev", interface).result().text) ?? ""
        if wanted.allSatisfy({ shown.contains(" \($0)/") }) { break }
        if attempt == 10 {
          logger.error(
            "an interface has not got its address", metadata: ["interface": "\(interface)", "wanted": "\(wanted)"])
        } else if (try? await surroundings.sleep(.seconds(1))) == nil {
          return
        }
      }
    }
  }

  // MARK: Ephemeral disk

  private func ephemeralDisk(_ settings: EffectiveSettings) async throws -> [MachineStep] {
    guard let hint = settings.document.disks.ephemeral else {
      return [.note("no ephemeral disk in the settings; \(layout.data) stays on the root disk")]
    }
    if options.skipsDiskSetup || MountTable.isMountPoint(layout.data) { return [] }
    let device = try await resolve(hint.path)
    return try await EphemeralDiskPlan(
      look(at: device), swapMegabytes: settings.document.env.swapSize, memoryBytes: Self.memory(),
      canPartition: ["/sbin/sfdisk", "/usr/sbin/sfdisk"].contains(where: Files.exists), agentID: settings.agentID,
      data: layout.data
    ).steps
  }

  /// The device, or what this kernel calls it. It may take a while to appear.
  private func resolve(_ path: String) async throws -> String {
    let names = DeviceNames.candidates(path)
    for _ in 0..<300 {
      if let name = names.first(where: Files.exists) { return name }
      try await surroundings.sleep(.milliseconds(100))
    }
    throw DroverError(
      .notFound, "the ephemeral disk \(path) is not there; looked for \(names.joined(separator: ", ")) for 30 seconds")
  }

  private func look(at device: String) async throws -> EphemeralDiskPlan.Disk {
    let size = try await Command("blockdev", "--getsize64", device).run().text.prefix { $0.isNumber }
    guard let bytes = Int64(size) else { throw DroverError(.failed, "the size of \(device) cannot be read") }
    let probe = try await Command("blkid", "-p", "-o", "value", "-s", "TYPE", "-s", "PTTYPE", device).result()
    let content = probe.text.prefix { !$0.isNewline }
    let partitions = (1...8).map { EphemeralDiskPlan.partition($0, of: device) }.filter(Files.exists)
    return EphemeralDiskPlan.Disk(
      device: device, bytes: bytes, partitions: partitions, content: content.isEmpty ? nil : String(content))
  }

  private static func memory() -> Int64 { Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE))) }
}

/// The names under which a disk may appear: clouds say /dev/sdb for what kernels call /dev/xvdb or /dev/vdb.
enum DeviceNames {
  static func candidates(_ path: String) -> [String] {
    guard path.hasPrefix("/dev/sd") else { return [path] }
    let rest = path.dropFirst("/dev/sd".count)
    return ["/dev/xvd\(rest)", "/dev/vd\(rest)", path]
  }
}
