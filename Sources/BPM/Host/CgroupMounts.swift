import Files
import Formats
import Glibc

/// Mounts the cgroup hierarchies that containers need, on machines where nobody has done so.
struct CgroupMounts {
  /// What runc needs for what bpm asks of it. The original mounts every controller there is, which gets in the way of
  /// others on the machine.
  static let needed = ["cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids", "blkio"]

  /// Names of the folders to mount below `/sys/fs/cgroup`: pure.
  ///
  /// - Parameters:
  ///   - controllers: `/proc/cgroups`.
  ///   - own: `/proc/self/cgroup`, where controllers that are mounted together stand together.
  static func groups(controllers: String, own: String) -> [String] {
    var groups: [String] = []
    for line in controllers.split(separator: "\n") where !line.hasPrefix("#") {
      let fields = line.split(whereSeparator: \.isWhitespace)
      guard fields.count >= 4, fields[3] == "1", needed.contains(String(fields[0])) else { continue }
      let group = own.split(separator: "\n").lazy
        .compactMap { $0.split(separator: ":", omittingEmptySubsequences: false).dropFirst().first }
        .first { $0.split(separator: ",").contains(fields[0]) }
      let name = String(group ?? fields[0])
      if !groups.contains(name) { groups.append(name) }
    }
    return groups
  }

  /// - Throws: ``DroverError`` when one cannot be mounted.
  static func setUp() throws {
    let probe = HostProbe()
    if probe.hasSystemd || probe.isUnified { return }
    let root = "/sys/fs/cgroup"
    let mounted = MountTable.current()
    if !mounted.hasMount(root) {
      try Files.makeFolder(root)
      try mount("tmpfs", root, "tmpfs", flags: UInt(MS_NOSUID | MS_NOEXEC | MS_NODEV), "mode=755")
    }
    let groups = groups(
      controllers: Files.textIfPresent("/proc/cgroups") ?? "", own: Files.textIfPresent("/proc/self/cgroup") ?? "")
    for group in groups where !mounted.hasMount("\(root)/\(group)") {
      try Files.makeFolder("\(root)/\(group)")
      try mount("cgroup", "\(root)/\(group)", "cgroup", flags: 0, group)
    }
  }

  private static func mount(
    _ source: String, _ target: String, _ type: String, flags: UInt, _ data: String
  ) throws {
    if Glibc.mount(source, target, type, flags, data) == 0 || errno == EBUSY { return }
    throw systemError("unable to setup cgroups: mounting \(target)")
  }
}
