import AgentProtocol
import Formats

/// What is done on a VM around its disks and networks, in the order of reference/agent.md 5.
struct LinuxPlan: Sendable {
  let settings: EffectiveSettings
  let options: LinuxOptions
  let layout: VMLayout
  private var env: AgentEnvironment { settings.document.env }

  /// - Parameter hostsConfigured: whether an earlier start has named the machine.
  func naming(hostsConfigured: Bool) throws -> [MachineStep] {
    guard !hostsConfigured else { return [] }
    let name = settings.agentID
    guard !name.isEmpty, name.utf8.count <= 64, name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x2F }) else {
      throw DroverError(.invalid, "settings.agent_id: '\(name.prefix(80))' can't be the name of a machine")
    }
    let state: Value = ["Linux": ["hosts_configured": true]]
    return [
      .setHostName(name), .write("/etc/hostname", text: "\(name)\n", mode: 0o644),
      .write("/etc/hosts", text: SystemFiles.hosts(hostName: name, records: []), mode: 0o644),
      .write(layout.agentState, text: JSON.text(state), mode: 0o600),
    ]
  }

  static let sysctlFile = "/etc/sysctl.d/60-bosh-sysctl.conf"
  /// Of machines with a BIOS, and with EFI.
  static let bootLoaderFiles = ["/boot/grub/grub.cfg", "/boot/efi/EFI/grub/grub.cfg"]
  private static let bootSwitch = "ipv6.disable=1"

  /// - Parameters:
  ///   - sysctl: the text of the stemcell's file, if there is one.
  ///   - bootLoader: the boot loader's file and its text, if there is one.
  func ipv6(sysctl: String?, bootLoader: (path: String, text: String)? = nil) -> [MachineStep] {
    guard env.ipv6Enabled else { return [] }
    var steps: [MachineStep] = []
    if let sysctl {
      let changed = sysctl.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        let isSwitch = line.contains("ipv6") && line.contains("disable_ipv6")
        return isSwitch ? String(line).replacing("=1", with: "=0").replacing("= 1", with: "= 0") : String(line)
      }.joined(separator: "\n")
      if changed != sysctl { steps.append(.write(Self.sysctlFile, text: changed, mode: 0o644)) }
    }
    if let bootLoader, bootLoader.text.contains(Self.bootSwitch) {
      // This kernel has no IPv6; the next one will.
      return steps + [
        .write(bootLoader.path, text: bootLoader.text.replacing(Self.bootSwitch, with: ""), mode: 0o600),
        .restartMachine(reason: "env.bosh.ipv6.enable, and the kernel was started without IPv6"),
      ]
    }
    for setting in ["accept_ra=1", "disable_ipv6=0"] {
      steps += ["all", "default"].map { .run(["sysctl", "-q", "-w", "net.ipv6.conf.\($0).\(setting)"], mayFail: true) }
    }
    return steps
  }

  /// Folders of the system that live on the data disk, and mount points that hold no programs.
  func places() -> [MachineStep] {
    var steps: [MachineStep] = [
      .restrict("/dev/shm", noExec: true), .restrict("/run/shm", noExec: true),
      .folder("\(layout.data)/root_log", mode: 0o771), .bind("\(layout.data)/root_log", on: "/var/log"),
      .folder("\(layout.data)/root_var_opt", mode: 0o755), .bind("\(layout.data)/root_var_opt", on: "/var/opt"),
      .folder("\(layout.data)/root_opt", mode: 0o755), .bind("\(layout.data)/root_opt", on: "/opt"),
      .bind("/home", on: "/home"), .restrict("/home", noExec: false),
    ]
    if !options.usesDefaultTemporaryFolder {
      steps += [
        .folder(layout.rootTemporary, mode: 0o1777), .bind(layout.rootTemporary, on: "/tmp"),
        .bind(layout.rootTemporary, on: "/var/tmp"),
      ]
    }
    return steps
  }

  func time() -> [MachineStep] {
    let servers = env.ntp ?? settings.document.ntp
    guard !servers.isEmpty else { return [] }
    return [
      .write("\(layout.etc)/ntpserver", text: servers.joined(separator: " "), mode: 0o644),
      .runIfPresent("\(layout.bosh)/bin/sync-time", mayFail: true),
    ]
  }

  /// What is kept in memory only: run folders always, jobs when the settings say so.
  func memory() -> [MachineStep] {
    [.folder(layout.dataSys, mode: 0o750), .tmpfs(layout.run, size: env.runDirectorySize, mode: 0o770)]
      + Self.jobMemory(env, layout)
  }

  static func jobMemory(_ env: AgentEnvironment, _ layout: VMLayout) -> [MachineStep] {
    guard env.jobDirectoryOnTmpfs else { return [] }
    return [
      .tmpfs(layout.dataJobs, size: env.jobDirectorySize, mode: 0o750),
      .tmpfs(layout.sensitiveBlobs, size: env.jobDirectorySize, mode: 0o700),
    ]
  }

  /// Tells the neighbours of an address where it is now: it may have been another machine's a moment ago.
  ///
  /// - Parameter addresses: by interface.
  static func announcements(_ addresses: [String: [String]]) -> [[String]] {
    addresses.sorted { $0.key < $1.key }.flatMap { interface, addresses in
      addresses.filter { !$0.contains(":") }.map { ["arping", "-c", "1", "-U", "-I", interface, $0] }
    }
  }

  /// What the stemcell names to be removed, if the settings ask for it. Each list counts for itself: one that is not there
  /// hinders nothing (trap 9 of reference/agent.md 22).
  ///
  /// - Parameter list: gives the text of a list of the stemcell; nil when there is none.
  func removals(_ list: (String) -> String?) -> [MachineStep] {
    (env.removeDevTools ? Self.removals(list("dev_tools_file_list")) : [])
      + (env.removeStaticLibraries ? Self.removals(list("static_libraries_list")) : [])
  }

  /// - Parameter list: the text of a file that names a path on each line.
  static func removals(_ list: String?) -> [MachineStep] {
    (list ?? "").split(separator: "\n").map { line in String(line.drop { $0.isWhitespace }) }
      .filter { path in path.count > 1 && path.hasPrefix("/") && !path.split(separator: "/").contains("..") }
      .map(MachineStep.remove)
  }
}
