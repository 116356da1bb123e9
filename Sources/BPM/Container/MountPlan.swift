import Containers

/// The mounts of a container, in the order they are made: what every container has, then bind mounts, of which the first
/// for a place counts, those with fewer parts first (reference/bpm.md 5.2).
struct MountPlan {
  private(set) var binds: [OCISpec.Mount] = []
  /// Destinations of mounts that were left out since there was one already.
  private(set) var duplicates: [String] = []

  mutating func add(_ mounts: [OCISpec.Mount]) {
    for mount in mounts {
      if binds.contains(where: { $0.destination == mount.destination }) {
        duplicates.append(mount.destination)
      } else {
        binds.append(mount)
      }
    }
  }

  var mounts: [OCISpec.Mount] {
    let sorted = binds.enumerated().sorted {
      let left = CleanPath.parts($0.element.destination).count
      let right = CleanPath.parts($1.element.destination).count
      return left == right ? $0.offset < $1.offset : left < right
    }
    return Self.kernel + sorted.map(\.element)
  }

  /// The file systems of the kernel.
  static let kernel: [OCISpec.Mount] = [
    .init(destination: "/proc", type: "proc", source: "proc"),
    .init(destination: "/dev", type: "tmpfs", source: "tmpfs", options: ["nosuid", "noexec", "mode=755"]),
    .init(
      destination: "/dev/pts", type: "devpts", source: "devpts",
      options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
    .init(
      destination: "/dev/shm", type: "tmpfs", source: "shm",
      options: ["nosuid", "noexec", "nodev", "mode=1777"]),
    .init(
      destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]),
    .init(destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]),
  ]

  static func bind(
    _ source: String, at destination: String? = nil, recursive: Bool = false, exec: Bool = false,
    writable: Bool = false
  ) -> OCISpec.Mount {
    OCISpec.Mount(
      destination: destination ?? source, type: "bind", source: source,
      options: [
        recursive ? "rbind" : "bind", exec ? "exec" : "noexec", "nosuid", "nodev", writable ? "rw" : "ro",
      ])
  }

  /// The folders of the system, and those that name servers are read from.
  static func system(_ host: HostFeatures) -> [OCISpec.Mount] {
    ["/bin", "/etc", "/lib", "/lib64", "/sbin", "/usr"].map { bind($0, exec: true) }
      + host.resolverFolders.map { bind($0) }
  }

  /// The job's own folders.
  static func bosh(_ names: JobProcess, _ process: ProcessConfiguration) -> [OCISpec.Mount] {
    func own(_ path: String, at destination: String? = nil, exec: Bool = false) -> OCISpec.Mount {
      bind(path, at: destination ?? names.inside(path), recursive: true, exec: exec, writable: true)
    }
    func shown(_ path: String) -> OCISpec.Mount { bind(path, at: names.inside(path), exec: true) }
    let execTmp = process.executableTemporaryFolders
    var mounts = [
      own(names.temporaryFolder, at: "/tmp", exec: execTmp),
      own(names.temporaryFolder, at: "/var/tmp", exec: execTmp),
      own(names.temporaryFolder, exec: execTmp),
      shown("\(names.root)/data/packages"),
      shown("\(names.root)/packages"),
      shown(names.jobFolder),
      own(names.logFolder),
    ]
    if process.ephemeralDisk { mounts.append(own(names.dataFolder)) }
    if process.persistentDisk { mounts.append(own(names.storeFolder)) }
    return mounts
  }

  static func volumes(_ volumes: [ProcessConfiguration.Volume]) -> [OCISpec.Mount] {
    volumes.map { bind($0.path, recursive: true, exec: $0.allowsExecutions, writable: $0.isWritable) }
  }
}
