import AgentProtocol
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// Looks at the disks of a machine and plans what becomes of them (reference/agent.md 5, 17).
struct MachineDisks: Sendable {
  let layout: VMLayout
  let options: LinuxOptions
  let surroundings: Surroundings

  // MARK: Instance storage

  /// The steps for one disk after the other.
  func rawDisks(_ settings: EffectiveSettings) async throws -> [[MachineStep]] {
    let hints = settings.document.disks.rawEphemeral
    guard !hints.isEmpty, !options.skipsDiskSetup else { return [] }
    var steps: [[MachineStep]] = []
    for (number, device) in try await rawDevices(hints).enumerated() {
      steps.append(RawDiskPlan.steps(try await DiskProbe.look(at: device), number: number))
    }
    return steps
  }

  private func rawDevices(_ hints: [DiskHint]) async throws -> [String] {
    guard !options.managedVolumes.isEmpty, hints.contains(where: { $0.path.hasPrefix("/dev/nvme") }) else {
      var devices: [String] = []
      for hint in hints { devices.append(try await resolve(hint, "disks.raw_ephemeral")) }
      return devices
    }
    // Links of the cloud's volumes come with udev, devices come before.
    for verb in ["trigger", "settle"] { _ = try? await Command("udevadm", verb).result() }
    let managed = Paths.matching(options.managedVolumes).compactMap(Paths.real)
    return try RawDiskPlan.storage(
      Paths.matching(options.instanceStorage), managed: Set(managed), wanted: hints.count)
  }

  // MARK: Ephemeral disk

  func ephemeralDisk(_ settings: EffectiveSettings) async throws -> [MachineStep] {
    if options.skipsDiskSetup || MountTable.isMountPoint(layout.data) { return [] }
    guard let hint = settings.document.disks.ephemeral else { return try await dataOnRootDisk(settings) }
    let device = try await resolve(hint, "the ephemeral disk")
    return try await EphemeralDiskPlan(
      look(at: device), swapMegabytes: settings.document.env.swapSize, memoryBytes: Self.memory(),
      canPartition: Self.has("sfdisk"), agentID: settings.agentID, data: layout.data
    ).steps
  }

  private func look(at device: String) async throws -> EphemeralDiskPlan.Disk {
    let disk = try await DiskProbe.look(at: device)
    let partitions = (1...8).map(disk.partition).filter(Files.isVisible)
    return EphemeralDiskPlan.Disk(device: device, bytes: disk.bytes, partitions: partitions, content: disk.content)
  }

  private func dataOnRootDisk(_ settings: EffectiveSettings) async throws -> [MachineStep] {
    let nothing = MachineStep.note("an ephemeral disk: the settings have none; \(layout.data) stays on the root disk")
    guard options.partitionsRootDisk else { return [nothing] }
    guard let (root, _) = Self.root(), let root else {
      return [nothing, .note("partitions on the root disk: the root is no partition of a disk")]
    }
    return try await RootDiskPlan.data(
      DiskProbe.look(at: root.disk), after: root, swapMegabytes: settings.document.env.swapSize,
      memoryBytes: Self.memory(), agentID: settings.agentID, data: layout.data)
  }

  // MARK: Root disk

  func rootDisk(_ settings: EffectiveSettings) -> [MachineStep] {
    let root = Self.root()
    return RootDiskPlan.grow(
      root?.partition, fileSystem: root?.fileSystem ?? "", hasTool: Self.has("growpart"),
      hasEphemeralDisk: settings.document.disks.ephemeral != nil, options: options)
  }

  private static func root() -> (partition: RootPartition?, fileSystem: String)? {
    guard let mount = MountTable.current().mounts.last(where: { $0.point == "/" }) else { return nil }
    let place = "/sys/dev/block/\(mount.device)"
    let partition = (try? Files.linkText(place)).flatMap {
      RootPartition(link: $0, number: Files.textIfPresent("\(place)/partition"))
    }
    return (partition, mount.type)
  }

  // MARK: Looking

  /// The device, or what this kernel calls it. It may take a while to appear.
  private func resolve(_ hint: DiskHint, _ what: String) async throws -> String {
    guard options.resolution == .identity, !hint.path.isEmpty else {
      do {
        return try await DeviceResolver(options: options, surroundings: surroundings).device(hint)
      } catch let error as DroverError {
        throw DroverError(error.code, what, cause: error)
      }
    }
    let names = DeviceNames.candidates(hint.path)
    for _ in 0..<300 {
      if let name = names.first(where: Files.isVisible) { return name }
      try await surroundings.sleep(.milliseconds(100))
    }
    throw DroverError(
      .notFound, "\(what) \(hint.path) is not there; looked for \(names.joined(separator: ", ")) for 30 seconds")
  }

  private static func has(_ program: String) -> Bool {
    ["/sbin", "/usr/sbin", "/usr/bin", "/bin"].contains { Files.isVisible("\($0)/\(program)") }
  }

  private static func memory() -> Int64 { Int64(sysconf(Int32(_SC_PHYS_PAGES))) * Int64(sysconf(Int32(_SC_PAGESIZE))) }
}

/// Paths by patterns of the shell.
enum Paths {
  /// Sorted.
  static func matching(_ pattern: String) -> [String] {
    var found = glob_t()
    defer { globfree(&found) }
    guard glob(pattern, 0, nil, &found) == 0 else { return [] }
    return (0..<Int(found.gl_pathc)).compactMap { found.gl_pathv[$0].map { String(cString: $0) } }
  }

  /// Where a path leads; nil when nothing is there.
  static func real(_ path: String) -> String? {
    guard let resolved = realpath(path, nil) else { return nil }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
