import AgentProtocol
import Files
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
    let steps = MachineSteps(
      layout: layout, ownership: ownership, root: root, logger: logger, surroundings: surroundings)
    umask(0o022)
    try await steps.perform([.runIfPresent("\(layout.bosh)/bin/bosh-agent-rc", mayFail: false)])
    if root.isEmpty { try await VMUsers.apply(settings.document.env, cloudKey: cloudKey) }
    let bootLoader = LinuxPlan.bootLoaderFiles.lazy.compactMap { path in
      Files.textIfPresent(root + path).map { (path, $0) }
    }.first
    try await steps.perform(
      plan.ipv6(sysctl: Files.textIfPresent(root + LinuxPlan.sysctlFile), bootLoader: bootLoader))
    try await steps.perform(plan.naming(hostsConfigured: hostsConfigured()))
    try await network(settings, steps)
    let machineDisks = MachineDisks(layout: layout, options: options, surroundings: surroundings)
    for disk in try await machineDisks.rawDisks(settings) { try await steps.perform(disk) }
    try await steps.perform(machineDisks.ephemeralDisk(settings))
    try await steps.perform(machineDisks.rootDisk(settings))
    try await steps.perform([.folder(layout.data, mode: 0o750)] + plan.places() + plan.time())
    try await steps.perform([
      .runIfPresent("\(layout.bosh)/bin/bosh-start-logging-and-auditing", mayFail: false)
    ])
    try await steps.perform(plan.memory())
    try Directories.make(layout, ownership)
    try Directories.removeLeftovers(layout)
    try await steps.perform(plan.removals { Files.textIfPresent("\(layout.etc)/\($0)") })
    // On jammy the stemcell has rules of its own.
    if root.isEmpty, !options.hasMonitFirewall { await Firewall(logger: logger).guardMonit() }
    logger.info("the machine is ready")
  }

  private func hostsConfigured() throws -> Bool {
    let state = try Files.text(layout.agentState).flatMap { try? JSON.parse($0) }
    return state?["Linux"]?["hosts_configured"]?.bool ?? false
  }

  // MARK: Networks

  private func network(_ settings: EffectiveSettings, _ steps: MachineSteps) async throws {
    let present = try Files.names(in: root + NetworkPlan.folder)
    let plan = try NetworkPlan(settings.document.networks, interfaces: Self.interfaces(), present: present)
    let current = plan.files.keys.compactMap { path in Files.textIfPresent(root + path).map { (path, $0) } }
    let resolver: NetworkPlan.Resolver =
      options.serviceManager == "systemd"
      ? .resolved : Files.isVisible("\(root)/etc/resolvconf/resolv.conf.d") ? .resolvconf : .plain
    try await steps.perform(
      plan.steps(
        current: Dictionary(current, uniquingKeysWith: { first, _ in first }), resolver: resolver,
        restart: "\(layout.bosh)/bin/restart_networking"))
    guard root.isEmpty else { return }
    await verify(plan.addresses)
    announce(plan.addresses)
  }

  /// Twenty times, beside everything else: neighbours may not be listening yet.
  private func announce(_ addresses: [String: [String]]) {
    let commands = LinuxPlan.announcements(addresses)
    guard !commands.isEmpty else { return }
    let (surroundings, logger) = (surroundings, logger)
    Task {
      for _ in 0..<20 {
        for command in commands {
          do {
            _ = try await Command(command).result()
          } catch {
            return logger.info("addresses are not announced", metadata: ["error": "\(error)"])
          }
        }
        try await surroundings.sleep(.seconds(5))
      }
    }
  }

  /// Network interfaces of hardware, sorted by name.
  static func interfaces() -> [NetworkPlan.Interface] {
    ((try? Files.names(in: "/sys/class/net")) ?? []).filter { Files.isVisible("/sys/class/net/\($0)/device") }
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
}
