import Containers
import Files
import Formats
import Glibc

/// What the container of a VM depends on of its host.
struct HostFeatures: Sendable, Hashable {
  var cgroups: CgroupLayout
  /// The capabilities that may be given.
  var capabilities: [String]
  /// Whether swap can be limited.
  var limitsSwap: Bool
  /// The hard limit of open files.
  var openFiles: UInt64

  static func read() throws -> HostFeatures {
    guard let mounts = Files.textIfPresent("/proc/self/mountinfo"), let cgroups = CgroupLayout(mountInfo: mounts)
    else {
      throw CloudError(.cloudError, "reading /proc/self/mountinfo: no cgroup hierarchy is mounted; runc needs one")
    }
    var limit = rlimit()
    getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    return HostFeatures(
      cgroups: cgroups,
      capabilities: Files.textIfPresent("/proc/self/status").flatMap(Capabilities.boundingSet) ?? Capabilities.names,
      limitsSwap: cgroups.swapLimitFile(of: "").map(Files.isVisible) ?? false,
      openFiles: UInt64(limit.rlim_max))
  }
}
