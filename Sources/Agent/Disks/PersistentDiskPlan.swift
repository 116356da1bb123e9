import Formats

/// What becomes of a persistent disk before it is mounted (reference/agent.md 17): a blank one gets one partition with one
/// file system, a disk that has grown a larger partition. What holds something else is left alone.
struct PersistentDiskPlan: Sendable, Hashable {
  static let fileSystems = ["ext4", "xfs"]
  /// Free space below this is what alignment leaves.
  static let slack: Int64 = 8 << 20
  /// The partition's name, once it has its file system.
  static let name = "bosh-persistent"
  /// Its name until then: what an agent left that was killed in between is no data of anybody.
  static let unfinished = "bosh-unformatted"

  /// Before mounting.
  var steps: [MachineStep] = []
  /// What is mounted.
  var device: String
  /// Whether the steps make one, on a disk or partition that is blank.
  var makesFileSystem = false

  /// - Parameters:
  ///   - fileSystem: of a new one; empty for ext4.
  ///   - isPreformatted: the disk has a file system of its own and no partitions.
  /// - Throws: `DroverError` with code `invalid` or `conflict`, naming the disk.
  init(_ disk: BlockDevice, fileSystem: String, isPreformatted: Bool) throws {
    if isPreformatted {
      device = disk.device
      return
    }
    let kind = fileSystem.isEmpty ? "ext4" : fileSystem
    guard Self.fileSystems.contains(kind) else {
      throw DroverError(
        .invalid,
        "env.persistent_disk_fs: The filesystem type \"\(kind.prefix(40))\" is not supported; expected ext4 or xfs")
    }
    device = disk.partition(1)
    guard let table = disk.table else {
      guard disk.content == nil else { throw Self.taken(disk.device, disk.content) }
      makesFileSystem = true
      steps =
        DiskSteps.partition(disk.device, "label: gpt\nname=\(Self.unfinished)\n", last: device)
        + Self.finish(disk, kind)
      return
    }
    guard table.partitions.count <= 1 else {
      throw DroverError(
        .conflict,
        "the persistent disk \(disk.device) has \(table.partitions.count) partitions; expected one, and it is left alone"
      )
    }
    guard !table.partitions.isEmpty else {
      makesFileSystem = true
      steps = DiskSteps.append(disk.device, "name=\(Self.unfinished)\n", last: device) + Self.finish(disk, kind)
      if table.label != "gpt" {
        steps = DiskSteps.append(disk.device, "type=83\n", last: device) + [DiskSteps.format(device, kind)]
      }
      return
    }
    let hasGrown = table.freeBytes(diskBytes: disk.bytes) > Self.slack
    if hasGrown { steps += DiskSteps.grow(disk.device, number: 1) }
    if table.partitions[0].name == Self.unfinished {
      makesFileSystem = true
      steps += Self.finish(disk, kind)
      return
    }
    switch disk.firstContent {
    // Partitioned by an agent that was killed before it had made the file system.
    case nil:
      makesFileSystem = true
      steps.append(DiskSteps.format(device, kind))
    // Not every kernel lets a mounted one grow.
    case .some(let content) where hasGrown && content.hasPrefix("ext"): steps += Self.growUnmounted(device)
    case .some(let content) where Self.fileSystems.contains(content) || content.hasPrefix("ext"): break
    default: throw Self.taken(device, disk.firstContent)
    }
  }

  private static func finish(_ disk: BlockDevice, _ fileSystem: String) -> [MachineStep] {
    [DiskSteps.format(disk.partition(1), fileSystem), DiskSteps.name(disk.device, number: 1, name)]
  }

  private static func growUnmounted(_ device: String) -> [MachineStep] {
    [
      // 1 is that it has mended something.
      .run(["sh", "-c", "e2fsck -f -p \"$1\" || [ $? -le 1 ]", "e2fsck", device], mayFail: false),
      .run(["resize2fs", device], mayFail: true),
    ]
  }

  /// After mounting: the file system fills its partition. Where it does already nothing happens.
  static func grow(_ device: String, on point: String, fileSystem: String) -> [MachineStep] {
    [.run(fileSystem == "xfs" ? ["xfs_growfs", point] : ["resize2fs", device], mayFail: true)]
  }

  private static func taken(_ device: String, _ content: String?) -> DroverError {
    DroverError(
      .conflict,
      "the persistent disk \(device) holds \(content ?? "something"); it is left alone, since it may be somebody's data"
    )
  }
}
