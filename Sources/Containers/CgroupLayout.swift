/// How a host lays out its cgroups, read from `/proc/self/mountinfo`.
public struct CgroupLayout: Sendable, Hashable {
  public enum Version: String, Sendable, Hashable {
    /// Controllers in hierarchies of their own.
    case v1
    /// As v1, and an empty v2 hierarchy beside them.
    case hybrid
    /// One hierarchy for all.
    case v2
  }

  public var version: Version
  /// Where the hierarchies are mounted: by controller (`memory`, …, `name=systemd`); the one of v2 under the name "".
  public var mounts: [String: String]

  public init(version: Version, mounts: [String: String]) {
    self.version = version
    self.mounts = mounts
  }

  /// Nil when no cgroup hierarchy is mounted.
  public init?(mountInfo: String) {
    var mounts: [String: String] = [:]
    for line in mountInfo.split(separator: "\n") {
      let halves = line.split(separator: " - ", maxSplits: 1)
      guard halves.count == 2 else { continue }
      let left = halves[0].split(separator: " ")
      let right = halves[1].split(separator: " ")
      guard left.count >= 5, right.count >= 3 else { continue }
      let place = String(left[4])
      switch right[0] {
      case "cgroup2": if mounts[""] == nil { mounts[""] = place }
      case "cgroup":
        for option in right[2].split(separator: ",") where !Self.plainOptions.contains(option) {
          let name = String(option)
          if mounts[name] == nil { mounts[name] = place }
        }
      default: continue
      }
    }
    guard !mounts.isEmpty else { return nil }
    let controllers = mounts.keys.contains { !$0.isEmpty && !$0.hasPrefix("name=") }
    self.init(version: controllers ? (mounts[""] == nil ? .v1 : .hybrid) : .v2, mounts: mounts)
    if mounts[""] == nil, !controllers { version = .v1 }
  }

  private static let plainOptions: Set<Substring> = ["rw", "ro", "xattr", "clone_children", "noprefix"]

  /// The folders of a cgroup in all hierarchies, each once.
  public func folders(of path: String) -> [String] {
    Set(mounts.values).sorted().map { $0 + (path.hasPrefix("/") ? path : "/" + path) }
  }

  /// The file that tells how much memory a cgroup uses, in bytes.
  public func memoryUsageFile(of path: String) -> String? {
    switch version {
    case .v2: mounts[""].map { "\($0)\(path)/memory.current" }
    case .v1, .hybrid: mounts["memory"].map { "\($0)\(path)/memory.usage_in_bytes" }
    }
  }

  /// A file that exists when swap can be limited, and only then.
  public func swapLimitFile(of path: String) -> String? {
    switch version {
    case .v2: mounts[""].map { "\($0)\(path)/memory.swap.max" }
    case .v1, .hybrid: mounts["memory"].map { "\($0)\(path)/memory.memsw.limit_in_bytes" }
    }
  }
}
