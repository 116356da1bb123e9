import Formats

/// What a bpm.yml must be beyond its types. The original's rules come first, in its order and words (reference/bpm.md
/// 3); ours follow.
struct ConfigurationRules {
  let root: String
  let job: String

  /// The first rule that a process breaks, and the key; nil when it keeps all of them.
  func violation(_ process: ProcessConfiguration) -> (text: String, key: String)? {
    if process.name.isEmpty { return ("invalid config: name", "name") }
    if process.executable.isEmpty { return ("invalid config: executable", "executable") }
    for (index, volume) in process.volumes.enumerated() {
      if let text = violation(volume.path) { return (text, "additional_volumes[\(index)].path") }
    }
    if !["", "TERM", "INT"].contains(process.shutdownSignal) {
      return (
        "shutdown signal should either be 'TERM' or 'INT' (or left unspecified), but got '\(process.shutdownSignal)'",
        "shutdown_signal"
      )
    }
    return ownViolation(process)
  }

  private func violation(_ path: String) -> String? {
    let clean = CleanPath.clean(path)
    if clean != path { return "volume path must be canonical, expected \(clean) but got \(path)" }
    if clean == "\(root)/data/\(job)" || clean == "\(root)/store/\(job)" {
      return "invalid volume path: \(path) cannot conflict with default job data or store directories"
    }
    return CleanPath.isBelow(clean, root) ? nil : "invalid volume path: \(path) must be within \(root)"
  }

  private func ownViolation(_ process: ProcessConfiguration) -> (text: String, key: String)? {
    if let reason = JobProcess.problem(ofName: process.name) {
      return ("invalid process name \"\(process.name)\": \(reason)", "name")
    }
    if let timeout = process.shutdownTimeout, timeout < .zero || timeout > .seconds(86_400) {
      return ("shutdown timeout should be between 0 and 86400 seconds", "shutdown_timeout")
    }
    if let quota = process.limits.cpuQuota, quota < 0.01 || quota > 10_000 {
      return ("cpu quota should be a number of CPUs between 0.01 and 10000", "limits.cpu.quota")
    }
    if let shares = process.limits.cpuShares, shares < 2 || shares > 262_144 {
      return ("cpu shares should be between 2 and 262144", "limits.cpu.shares")
    }
    for (index, device) in process.devices.enumerated() {
      if !device.path.hasPrefix("/dev/") || CleanPath.clean(device.path) != device.path {
        return ("device path must be a canonical path below /dev, but got '\(device.path)'", "devices[\(index)].path")
      }
      if device.permissions.isEmpty || !device.permissions.allSatisfy("rwm".contains) {
        return (
          "device permissions should be made of 'r', 'w' and 'm', but got '\(device.permissions)'",
          "devices[\(index)].permissions"
        )
      }
    }
    return nil
  }
}

/// Paths by their parts, without looking at any file.
enum CleanPath {
  /// As Go's `filepath.Clean`: the shortest path that means the same; `.` for nothing.
  static func clean(_ path: String) -> String {
    let isAbsolute = path.hasPrefix("/")
    var parts: [Substring] = []
    for part in path.split(separator: "/") where part != "." {
      if part != ".." {
        parts.append(part)
      } else if let last = parts.last, last != ".." {
        parts.removeLast()
      } else if !isAbsolute {
        parts.append(part)
      }
    }
    let joined = parts.joined(separator: "/")
    if isAbsolute { return "/" + joined }
    return joined.isEmpty ? "." : joined
  }

  static func parts(_ path: String) -> [Substring] { path.split(separator: "/", omittingEmptySubsequences: false) }

  /// Whether a path is strictly below a folder.
  static func isBelow(_ path: String, _ folder: String) -> Bool {
    let parts = parts(path)
    let above = self.parts(folder)
    return parts.count > above.count && parts.starts(with: above)
  }

  /// Whether a path is a folder or below it.
  static func isAtOrBelow(_ path: String, _ folder: String) -> Bool { parts(path).starts(with: parts(folder)) }
}
