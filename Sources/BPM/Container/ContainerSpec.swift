public import Containers
import Formats

/// Builds the OCI spec of a process, and nothing else: a pure function of configuration and host (reference/bpm.md 5.2).
public struct ContainerSpec: Sendable, Hashable {
  /// Whom processes run as.
  public struct User: Sendable, Hashable {
    public var name: String
    public var uid: Int
    public var gid: Int

    public init(name: String = "vcap", uid: Int, gid: Int) {
      self.name = name
      self.uid = uid
      self.gid = gid
    }
  }

  public var names: JobProcess
  public var process: ProcessConfiguration
  public var user: User
  public var host: HostFeatures
  /// What the patterns of `unsafe.unrestricted_volumes` match on this host, in their order.
  public var unrestrictedVolumes: [ProcessConfiguration.Volume]
  /// tini's path in the container.
  public var tini: String
  /// The nodes of `devices` on this host.
  public var devices: [OCISpec.Device]

  public init(
    names: JobProcess, process: ProcessConfiguration, user: User, host: HostFeatures,
    unrestrictedVolumes: [ProcessConfiguration.Volume] = [], tini: String = ContainerSpec.packagedTini,
    devices: [OCISpec.Device] = []
  ) {
    self.names = names
    self.process = process
    self.user = user
    self.host = host
    self.unrestrictedVolumes = unrestrictedVolumes
    self.tini = tini
    self.devices = devices
  }

  public static let packagedTini = "/var/vcap/packages/bpm/bin/tini"

  /// The spec, and the destinations of mounts that were left out since there was one already.
  public func build() -> (spec: OCISpec, duplicates: [String]) {
    let boshMounts = MountPlan.bosh(names, process)
    var plan = MountPlan()
    plan.add(MountPlan.system(host))
    plan.add(boshMounts)
    plan.add(MountPlan.volumes(process.volumes))
    plan.add(
      MountPlan.volumes(
        unrestrictedVolumes.filter { volume in
          !boshMounts.contains { CleanPath.isAtOrBelow(volume.path, $0.destination) }
        }))
    if process.syslog { plan.add([MountPlan.bind("/dev/log", writable: true)]) }

    var spec = OCISpec(
      process: ociProcess, root: .init(path: "\(names.bundle)/rootfs"), mounts: plan.mounts, linux: linux)
    if process.unsafe.isPrivileged { makePrivileged(&spec) }
    return (spec, plan.duplicates)
  }

  /// `NAME=value`: the configured ones, then the defaults of those that are not configured.
  public var environment: [String] {
    let folder = names.inside(names.dataFolder)
    let defaults = [
      ("TMPDIR", "\(folder)/tmp"), ("LANG", "en_US.UTF-8"),
      (
        "PATH",
        "\(names.inside(names.jobFolder))/bin:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin:."
      ),
      ("HOME", folder),
    ]
    return process.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
      + defaults.filter { process.environment[$0.0] == nil }.map { "\($0.0)=\($0.1)" }
  }

  private var ociProcess: OCISpec.Process {
    var limits: [OCISpec.ResourceLimit] = []
    if let files = process.limits.openFiles { limits.append(.init(type: "RLIMIT_NOFILE", soft: files, hard: files)) }
    if let size = process.limits.coreFileSize { limits.append(.init(type: "RLIMIT_CORE", soft: size, hard: size)) }
    return OCISpec.Process(
      arguments: [tini, "-w", "-s", "--", process.executable] + process.arguments,
      environment: environment,
      directory: process.workingDirectory.isEmpty ? names.inside(names.jobFolder) : process.workingDirectory,
      user: .init(uid: user.uid, gid: user.gid, name: user.name), noNewPrivileges: true,
      capabilities: Self.capabilities(process.capabilities.map { "CAP_\($0)" }), resourceLimits: limits)
  }

  /// The effective set is left to the kernel, which makes it of the others.
  private static func capabilities(_ names: [String]) -> OCISpec.Capabilities {
    OCISpec.Capabilities(bounding: names, inheritable: names, permitted: names, ambient: names)
  }

  private var linux: OCISpec.Linux {
    var namespaces: [OCISpec.Namespace] = [.init(.ipc), .init(.mount), .init(.uts)]
    if !process.unsafe.usesHostProcesses { namespaces.append(.init(.pid)) }
    return OCISpec.Linux(
      namespaces: namespaces, resources: resources, cgroupsPath: host.cgroupsPath(of: names),
      rootfsPropagation: "private", maskedPaths: Self.maskedPaths, readonlyPaths: Self.readonlyPaths,
      devices: devices, seccomp: host.supportsSeccomp ? SeccompProfile.value : Value?.none)
  }

  private var resources: OCISpec.Resources {
    var resources = OCISpec.Resources()
    if let memory = process.limits.memory.flatMap(MemoryAmount.bytes) {
      resources.memoryLimit = memory
      if host.limitsSwap { resources.memorySwap = memory }
    }
    resources.pidsLimit = process.limits.processes.map { Int($0) }
    resources.cpuShares = process.limits.cpuShares.map { Int(clamping: $0) }
    if let quota = process.limits.cpuQuota {
      resources.cpuPeriod = 100_000
      resources.cpuQuota = Int(quota * 100_000)
    }
    resources.devices = devices.enumerated().map { index, device in
      OCISpec.DeviceRule(
        allow: true, type: device.type, major: device.major, minor: device.minor,
        access: process.devices.indices.contains(index) ? process.devices[index].permissions : "rwm")
    }
    return resources
  }

  private func makePrivileged(_ spec: inout OCISpec) {
    let all = Self.privilegedCapabilities.filter { host.boundingCapabilities?.contains($0) ?? true }
    spec.process.capabilities = Self.capabilities(process.capabilities.map { "CAP_\($0)" } + all)
    spec.process.user = .init()
    spec.process.noNewPrivileges = false
    spec.linux.maskedPaths = []
    spec.linux.readonlyPaths = []
    spec.linux.seccomp = Value?.none
    for index in spec.mounts.indices { spec.mounts[index].options.removeAll { $0 == "nosuid" } }
  }

  private static let maskedPaths = [
    "/etc/sv", "/proc/kcore", "/proc/latency_stats", "/proc/sched_debug", "/proc/timer_list", "/proc/timer_stats",
    "/sys/firmware",
  ]

  private static let readonlyPaths = [
    "/proc/asound", "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
  ]

  /// Every capability but those that are newer than Linux 5.7, by name.
  static let privilegedCapabilities = Capabilities.names.filter {
    !["CAP_PERFMON", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"].contains($0)
  }.sorted()
}

extension OCISpec.Linux {
  /// Whether system calls are filtered. (`== nil` would ask for the value `null`.)
  var hasSeccomp: Bool { if case .some = seccomp { true } else { false } }
}
