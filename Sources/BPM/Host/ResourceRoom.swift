import Containers
import Files
import Formats
import Glibc

/// How far the limits of a process that is started here can go.
struct ResourceRoom: Sendable, Hashable {
  /// The hard limits of this process, which its children may not exceed.
  var openFiles: UInt64
  var coreFileSize: UInt64
  /// Whether this process may give its children more than it has itself (CAP_SYS_RESOURCE).
  var isExtensible: Bool
  /// What nobody may exceed: `fs.nr_open`.
  var openFilesCeiling: UInt64?

  /// This process's.
  static func own() -> ResourceRoom {
    let status = Files.textIfPresent("/proc/self/status") ?? ""
    let ceiling = Files.textIfPresent("/proc/sys/fs/nr_open").flatMap { UInt64($0.filter(\.isNumber)) }
    return ResourceRoom(
      openFiles: hardLimit(RLIMIT_NOFILE), coreFileSize: hardLimit(RLIMIT_CORE),
      isExtensible: Capabilities.effectiveSet(inStatus: status)?.contains("CAP_SYS_RESOURCE") ?? true,
      openFilesCeiling: ceiling)
  }

  private static func hardLimit(_ resource: __rlimit_resource) -> UInt64 {
    var limit = rlimit()
    return getrlimit(__rlimit_resource_t(resource.rawValue), &limit) == 0 ? UInt64(limit.rlim_max) : .max
  }

  /// Why a process cannot get so many open files; nil when it can.
  func problem(ofOpenFiles asked: UInt64) -> String? {
    if let openFilesCeiling, asked > openFilesCeiling {
      return "\(asked) open files are more than this machine's kernel gives to anybody (sysctl fs.nr_open: "
        + "\(openFilesCeiling))"
    }
    return problem(asked, "open files", openFiles, "ulimit -Hn")
  }

  /// Why a process cannot get so large core files; nil when it can.
  func problem(ofCoreFileSize asked: UInt64) -> String? {
    problem(asked, "bytes of a core file", coreFileSize, "ulimit -Hc")
  }

  private func problem(_ asked: UInt64, _ unit: String, _ limit: UInt64, _ command: String) -> String? {
    guard asked > limit, !isExtensible else { return nil }
    return "\(asked) \(unit) are more than the hard limit that bpm was started with (\(limit), see '\(command)'), and "
      + "without the capability CAP_SYS_RESOURCE it cannot be raised"
  }
}
