import Containers
import Formats

/// The isolation of a process as a service unit: an empty root with the same mounts, and the same user, environment,
/// capabilities, system calls and limits.
struct SystemdUnit {
  let spec: OCISpec
  let plan: ContainerSpec

  var text: String {
    """
    [Unit]
    Description=\(Self.escaped("\(plan.names.name) (as bpm isolates it)"))

    [Service]
    \(service.map { "\($0.0)=\($0.1)" }.joined(separator: "\n"))

    [Install]
    WantedBy=multi-user.target

    """
  }

  /// `%` begins a specifier, and text ends with its line.
  static func escaped(_ text: String) -> String {
    text.substituting(["%": "%%", "\n": "\\n"])
  }

  /// A word in double quotes.
  static func quoted(_ text: String) -> String {
    let inner = escaped(text.substituting(["\\": "\\\\", "\"": "\\\""]))
    return "\"\(inner)\""
  }

  private var service: [(String, String)] {
    var lines: [(String, String)] = [
      (
        "ExecStart",
        spec.process.arguments.map { Self.quoted($0).substituting(["$": "$$"]) }.joined(separator: " ")
      ),
      ("User", "\(spec.process.user.uid)"), ("Group", "\(spec.process.user.gid)"),
      ("WorkingDirectory", Self.escaped(spec.process.directory)),
    ]
    lines += spec.process.environment.map { ("Environment", Self.quoted($0)) }
    lines += [
      ("StandardOutput", "append:\(Self.escaped(plan.names.outputLog))"),
      ("StandardError", "append:\(Self.escaped(plan.names.errorLog))"),
      ("KillSignal", "SIG\(plan.process.shutdownSignal.isEmpty ? "TERM" : plan.process.shutdownSignal)"),
      ("KillMode", "mixed"), ("FinalKillSignal", "SIGKILL"),
      ("TimeoutStopSec", "\((plan.process.shutdownTimeout ?? Lifecycle.shutdownTimeout).components.seconds + 2)"),
      ("NoNewPrivileges", spec.process.noNewPrivileges ? "yes" : "no"),
      ("CapabilityBoundingSet", capabilities), ("AmbientCapabilities", capabilities),
    ]
    return lines + namespaces + mounts + limits + systemCalls
  }

  private var capabilities: String { (spec.process.capabilities?.bounding ?? []).joined(separator: " ") }

  private var namespaces: [(String, String)] {
    let kinds = Set(spec.linux.namespaces.map(\.kind))
    return [("PrivateIPC", "yes"), ("ProtectHostname", "yes"), ("PrivateMounts", "yes")]
      + (kinds.contains(.pid) ? [("PrivatePIDs", "yes")] : [])
  }

  private var mounts: [(String, String)] {
    var lines = [("TemporaryFileSystem", "/:mode=0755"), ("MountAPIVFS", "yes"), ("PrivateDevices", "yes")]
    if !spec.linux.devices.isEmpty {
      lines.removeAll { $0.0 == "PrivateDevices" }
      lines.append(("DevicePolicy", "closed"))
      for (device, rule) in zip(spec.linux.devices, spec.linux.resources.devices) {
        lines.append(("DeviceAllow", "\(device.path) \(rule.access)"))
      }
    }
    for mount in spec.mounts where mount.type == "bind" {
      let key = mount.options.contains("rw") ? "BindPaths" : "BindReadOnlyPaths"
      let kind = mount.options.contains("rbind") ? "rbind" : "norbind"
      lines.append((key, Self.escaped("\(mount.source):\(mount.destination):\(kind)")))
      if mount.options.contains("noexec") { lines.append(("NoExecPaths", Self.escaped(mount.destination))) }
    }
    if !spec.linux.maskedPaths.isEmpty {
      lines.append(("InaccessiblePaths", spec.linux.maskedPaths.map { "-\($0)" }.joined(separator: " ")))
      lines.append(("ReadOnlyPaths", spec.linux.readonlyPaths.map { "-\($0)" }.joined(separator: " ")))
    }
    return lines
  }

  private var limits: [(String, String)] {
    let resources = spec.linux.resources
    var lines: [(String, String)] = []
    if let memory = resources.memoryLimit { lines.append(("MemoryMax", "\(memory)")) }
    if resources.memorySwap != nil { lines.append(("MemorySwapMax", "0")) }
    if let pids = resources.pidsLimit { lines.append(("TasksMax", "\(pids)")) }
    if let shares = resources.cpuShares {
      // As runc turns shares into a weight of v2.
      lines.append(("CPUWeight", "\(1 + (shares - 2) * 9999 / 262_142)"))
    }
    if let quota = resources.cpuQuota { lines.append(("CPUQuota", "\(quota / 1000)%")) }
    for limit in spec.process.resourceLimits {
      lines.append(("Limit\(limit.type.dropFirst("RLIMIT_".count))", "\(limit.hard)"))
    }
    return lines
  }

  private var systemCalls: [(String, String)] {
    guard spec.linux.hasSeccomp else { return [] }
    return [
      ("SystemCallArchitectures", "x86-64 x86 x32"),
      ("SystemCallFilter", (SeccompProfile.allowed + ["clone", "personality"]).joined(separator: " ")),
      ("SystemCallErrorNumber", "EPERM"), ("RestrictNamespaces", "yes"),
    ]
  }
}

extension String {
  /// With characters replaced by texts. (The standard library's own way links its whole regular expressions.)
  func substituting(_ texts: [Character: String]) -> String {
    reduce(into: "") { $0 += texts[$1] ?? String($1) }
  }
}
