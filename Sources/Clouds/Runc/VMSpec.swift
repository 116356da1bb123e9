import Containers

/// The container of a VM: a pure function of what was asked, the host and where its files are. Persistent disks are shown
/// in it when it has been made.
enum VMSpec {
  struct Paths: Sendable, Hashable {
    /// Where the overlay is mounted, in the mount namespace in which runc makes the container.
    var root: String
    /// The folder of the ephemeral disk.
    var data: String
  }

  static func make(
    hostname: String, cgroup: String, resources: VMResources, paths: Paths, host: HostFeatures
  ) -> OCISpec {
    let capabilities = host.capabilities.filter { !withheld.contains($0) }
    let process = OCISpec.Process(
      arguments: ["/sbin/init"],
      environment: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "container=drover"],
      capabilities: OCISpec.Capabilities(
        bounding: capabilities, effective: capabilities, inheritable: [], permitted: capabilities),
      resourceLimits: [
        OCISpec.ResourceLimit(type: "RLIMIT_NOFILE", soft: min(65536, host.openFiles), hard: host.openFiles)
      ])
    return OCISpec(
      process: process, root: OCISpec.Root(path: paths.root), hostname: hostname, mounts: mounts(paths, host),
      linux: OCISpec.Linux(
        namespaces: [.pid, .network, .mount, .ipc, .uts, .cgroup].map { OCISpec.Namespace($0) },
        resources: limits(resources, host), cgroupsPath: cgroup, maskedPaths: maskedPaths,
        readonlyPaths: readonlyPaths))
  }

  /// What would change the host itself: its kernel, clock, hardware and security policies, or show its log.
  static let withheld: Set<String> = [
    "CAP_SYS_MODULE", "CAP_SYS_RAWIO", "CAP_SYS_BOOT", "CAP_SYS_TIME", "CAP_MAC_OVERRIDE", "CAP_MAC_ADMIN",
    "CAP_SYSLOG", "CAP_WAKE_ALARM", "CAP_BLOCK_SUSPEND", "CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE",
    "CAP_AUDIT_CONTROL", "CAP_AUDIT_READ",
  ]

  static let maskedPaths = [
    "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/timer_list", "/sys/firmware",
  ]
  static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

  /// The sysctls that belong to the VM's own namespaces; all others stay read-only.
  static let writableSysctls = [
    "/proc/sys/net", "/proc/sys/fs/mqueue", "/proc/sys/kernel/domainname", "/proc/sys/kernel/hostname",
    "/proc/sys/kernel/msgmax", "/proc/sys/kernel/msgmnb", "/proc/sys/kernel/msgmni", "/proc/sys/kernel/sem",
    "/proc/sys/kernel/shm_rmid_forced", "/proc/sys/kernel/shmall", "/proc/sys/kernel/shmmax",
    "/proc/sys/kernel/shmmni",
  ]

  private static func mounts(_ paths: Paths, _ host: HostFeatures) -> [OCISpec.Mount] {
    func mount(_ destination: String, _ type: String, _ options: [String], source: String? = nil) -> OCISpec.Mount {
      OCISpec.Mount(destination: destination, type: type, source: source ?? type, options: options)
    }
    return [
      mount("/proc", "proc", ["nosuid", "noexec", "nodev"]),
      mount("/dev", "tmpfs", ["nosuid", "noexec", "strictatime", "mode=755", "size=65536k"]),
      mount("/dev/pts", "devpts", ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
      mount("/dev/shm", "tmpfs", ["nosuid", "noexec", "nodev", "mode=1777"], source: "shm"),
      mount("/dev/mqueue", "mqueue", ["nosuid", "noexec", "nodev"]),
      mount("/sys", "sysfs", ["nosuid", "noexec", "nodev", "ro"]),
      // The VM's own part of the hierarchies, which it may divide further (nested runc).
      mount("/sys/fs/cgroup", "cgroup", ["nosuid", "noexec", "nodev", "rw"]),
      mount("/run", "tmpfs", ["nosuid", "nodev", "mode=755"]),
      mount("/var/vcap/data", "bind", ["bind", "rw"], source: paths.data),
    ]
  }

  private static func limits(_ resources: VMResources, _ host: HostFeatures) -> OCISpec.Resources {
    let memory = resources.memory.map { $0 << 20 }
    return OCISpec.Resources(
      memoryLimit: memory, memorySwap: host.limitsSwap ? memory : nil, cpuShares: resources.cpuShares,
      cpuQuota: resources.cpu.map { Int($0 * 100_000) }, cpuPeriod: resources.cpu.map { _ in 100_000 },
      pidsLimit: resources.processes, devices: [OCISpec.DeviceRule(allow: false)])
  }
}
