import AgentProtocol
import Files
import Formats
import Glibc
import Logging
import Processes
import Surroundings

/// Persistent disks of a machine with a kernel of its own: block devices with one partition (reference/agent.md 17).
struct BlockDisks: DiskAttachment {
  let layout: VMLayout
  let ownership: Ownership
  let resolver: DeviceResolver
  /// `persistent_disk_fs` and `persistent_disk_mount_options` of the settings.
  let fileSystem: String
  let mountOptions: [String]
  let surroundings: Surroundings
  let logger: Logger

  private var folders: FolderDisks {
    FolderDisks(layout: layout, ownership: ownership, surroundings: surroundings)
  }

  func check(_ hint: DiskHint) throws { try resolver.check(hint) }

  func path(_ hint: DiskHint) async throws -> String { try await resolver.device(hint) }

  func isMounted(_ hint: DiskHint) async throws -> Bool {
    if try await isMounted(hint, on: layout.store) { return true }
    return try await isMounted(hint, on: layout.storeMigrationTarget)
  }

  /// A disk that is mounted is there: it is not waited for.
  func isMounted(_ hint: DiskHint, on point: String) async throws -> Bool {
    guard let mounted = MountTable.current().mounts.last(where: { $0.point == point }) else { return false }
    var resolver = resolver
    resolver.patience = .zero
    try resolver.check(hint)
    guard let device = try? await resolver.device(hint) else { return false }
    let paths =
      resolver.options.usesPreformattedDisks ? [device] : [EphemeralDiskPlan.partition(1, of: device), device]
    return paths.contains { Self.number($0) == mounted.device }
  }

  func mount(_ hint: DiskHint, on point: String, mayMake: Bool) async throws {
    if try await isMounted(hint, on: point) { return }
    let device = try await resolver.device(hint)
    let steps = MachineSteps(layout: layout, ownership: ownership, root: "", logger: logger, surroundings: surroundings)
    let disk = try await DiskProbe.look(at: device)
    let plan = try PersistentDiskPlan(
      disk, fileSystem: fileSystem, isPreformatted: resolver.options.usesPreformattedDisks)
    guard mayMake || !plan.makesFileSystem else {
      throw DroverError(
        .conflict,
        "the persistent disk \(device) has no file system, though it was in use before; is it the right one?")
    }
    try await steps.perform(plan.steps)
    try ownership.folderIfMissing(point, 0o700)
    let kind = try await DiskProbe.content(of: plan.device) ?? fileSystem
    let options = mountOptions.isEmpty ? [] : ["-o", mountOptions.joined(separator: ",")]
    try await Command(["mount"] + options + [plan.device, point]).run()
    try await steps.perform(PersistentDiskPlan.grow(plan.device, on: point, fileSystem: kind))
  }

  func unmount(_ point: String) async throws { try await folders.unmount(point) }
  func setWritable(_ point: String, _ isWritable: Bool) throws { try folders.setWritable(point, isWritable) }

  /// As mountinfo has it: `8:1`.
  private static func number(_ device: String) -> String? {
    var information = stat()
    guard stat(device, &information) == 0, information.st_mode & S_IFMT == S_IFBLK else { return nil }
    let number = UInt64(information.st_rdev)
    let major = (number >> 8) & 0xFFF | (number >> 32) & ~0xFFF
    let minor = number & 0xFF | (number >> 12) & ~0xFF
    return "\(major):\(minor)"
  }
}

/// Looks at disks with the machine's own tools.
enum DiskProbe {
  static func look(at device: String) async throws -> BlockDevice {
    let size = try await Command("blockdev", "--getsize64", device).run().text.prefix { $0.isNumber }
    guard let bytes = Int64(size) else { throw DroverError(.failed, "the size of \(device) cannot be read") }
    var disk = BlockDevice(device: device, bytes: bytes, content: try await content(of: device))
    let listing = try await Command("sfdisk", "--json", device).result()
    // A disk without a table makes sfdisk fail; whether it is blank, blkid says.
    if listing.succeeded { disk.table = try PartitionTable(json: listing.output) }
    let first = disk.partition(1)
    if disk.table?.partitions.isEmpty == false, Files.isVisible(first) {
      disk.firstContent = try await content(of: first)
    }
    return disk
  }

  /// What is on a device: a file system or a partition table; nil when it is blank.
  static func content(of device: String) async throws -> String? {
    let probe = try await Command("blkid", "-p", "-o", "value", "-s", "TYPE", "-s", "PTTYPE", device).result()
    let content = String(probe.text.prefix { !$0.isNewline })
    if !content.isEmpty { return content }
    // 2 is that nothing was found; 8 that several things were.
    guard [.exited(0), .exited(2)].contains(probe.ending) else {
      throw DroverError(
        .conflict, "what is on \(device) cannot be told (blkid \(probe.ending)); it is left alone")
    }
    return nil
  }
}
