import Containers
import Files
import Formats

/// Looks at this machine; where its files are can be moved for tests.
public struct HostProbe: Sendable {
  /// In front of every path that is looked at.
  public var prefix: String

  public init(prefix: String = "") { self.prefix = prefix }

  private func text(_ path: String) -> String? { Files.textIfPresent(prefix + path) }
  private func exists(_ path: String) -> Bool { Files.isVisible(prefix + path) }

  /// Whether systemd runs here: its folder is a folder, and no link to one.
  public var hasSystemd: Bool { Files.isVisible(prefix + "/run/systemd/system") }

  /// Whether `/sys/fs/cgroup` itself is the one hierarchy of v2.
  var isUnified: Bool { layout?.mounts[""] == "/sys/fs/cgroup" }

  private var layout: CgroupLayout? { CgroupLayout(mountInfo: text("/proc/self/mountinfo") ?? "") }

  public func features() -> HostFeatures {
    var features = HostFeatures()
    features.hasSystemd = hasSystemd
    features.ownCgroups = text("/proc/self/cgroup") ?? ""
    features.limitsSwap = limitsSwap(features.ownCgroup)
    features.supportsSeccomp = !exists("/proc/sys/fs/binfmt_misc/rosetta")
    features.resolverFolders = ["/run/resolvconf", "/run/systemd/resolve"].filter(exists)
    features.boundingCapabilities = text("/proc/self/status").flatMap(Capabilities.boundingSet(inStatus:)).map {
      Set($0)
    }
    return features
  }

  /// A v2 hierarchy's root has no limits, its first level has: so this process's own cgroup is asked, then any other.
  private func limitsSwap(_ own: String?) -> Bool {
    guard let layout else { return false }
    switch layout.version {
    case .v1, .hybrid: return layout.swapLimitFile(of: "").map(exists) ?? false
    case .v2:
      if let file = layout.swapLimitFile(of: own ?? ""), exists(CleanPath.clean(file)) { return true }
      guard let root = layout.mounts[""] else { return false }
      if let names = try? Files.names(in: prefix + root) {
        return names.contains { exists("\(root)/\($0)/memory.swap.max") }
      }
      return false
    }
  }
}
