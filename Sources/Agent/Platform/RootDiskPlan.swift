import Formats

/// The partition that is the machine's root, as the kernel tells it.
struct RootPartition: Sendable, Hashable {
  /// `/dev/sda`.
  let disk: String
  let number: Int
  /// `/dev/sda1`.
  let device: String

  /// - Parameters:
  ///   - link: where `/sys/dev/block/MAJOR:MINOR` of the root's device leads.
  ///   - number: what its file `partition` holds.
  /// - Returns: nil when it is no partition of a disk.
  init?(link: String, number: String?) {
    let parts = link.split(separator: "/")
    guard parts.count >= 2, let digits = number?.prefix(while: \.isNumber), let number = Int(digits) else { return nil }
    disk = "/dev/\(parts[parts.count - 2])"
    device = "/dev/\(parts[parts.count - 1])"
    self.number = number
  }
}

/// What becomes of the disk with the machine's root (reference/agent.md 5): its file system grows to the disk's end, or,
/// without an ephemeral disk, partitions follow it.
enum RootDiskPlan {
  static let smallestData: Int64 = 1 << 30

  /// - Parameters:
  ///   - root: nil when it is no partition.
  ///   - hasTool: whether there is `growpart`.
  ///   - fileSystem: of the root.
  static func grow(
    _ root: RootPartition?, fileSystem: String, hasTool: Bool, hasEphemeralDisk: Bool, options: LinuxOptions
  ) -> [MachineStep] {
    if options.skipsDiskSetup { return [] }
    if !hasEphemeralDisk && options.partitionsRootDisk {
      return [.note("growing the root file system: the rest of its disk is for data")]
    }
    guard let root else { return [.note("growing the root file system: it is no partition of a disk")] }
    guard hasTool else { return [.note("growing the root file system: there is no growpart")] }
    // It exits with 1 when there is nothing to grow.
    let grow =
      "said=$(growpart \"$1\" \"$2\" 2>&1) || case $said in *NOCHANGE*) ;; *) echo \"$said\" >&2; exit 1;; esac"
    let steps: [MachineStep] = [.run(["sh", "-c", grow, "growpart", root.disk, "\(root.number)"], mayFail: false)]
    switch fileSystem {
    case "xfs": return steps + [.run(["xfs_growfs", "-d", "/"], mayFail: false)]
    case "ext4": return steps + [.run(["resize2fs", "-f", root.device], mayFail: false)]
    default: return [.note("growing the root file system: it is \(fileSystem), neither ext4 nor xfs")]
    }
  }

  /// Swap and data behind the root's partition. Made once: those that are there are used.
  ///
  /// - Throws: when there is too little room.
  static func data(
    _ disk: BlockDevice, after root: RootPartition, swapMegabytes: Int?, memoryBytes: Int64, agentID: String,
    data: String
  ) throws -> [MachineStep] {
    guard let table = disk.table else {
      throw DroverError(.conflict, "the root disk \(disk.device) has no partition table that can be read")
    }
    let later = table.partitions.map(\.device).filter { PartitionTable.number($0) > root.number }
    if let last = later.last {
      let swap = later.count > 1 && swapMegabytes != 0 ? later[0] : nil
      return DiskSteps.finish(swap: swap, data: last) + (swap.map { [.run(["swapon", $0], mayFail: true)] } ?? [])
        + [.mount(last, on: data)]
    }
    let free = table.freeBytes(diskBytes: disk.bytes)
    guard free >= smallestData else {
      throw DroverError(
        .invalid,
        "the root disk \(disk.device) has \(free >> 20) MiB behind its root; at least \(smallestData >> 20) are needed for data"
      )
    }
    let swap = EphemeralDiskPlan.swapBytes(swapMegabytes, disk: free, memory: memoryBytes)
    let label = String("bosh-partition-\(agentID)".prefix(33))
    let isGPT = table.label == "gpt"
    let name = isGPT ? "name=\(label)" : "type=83"
    let swapLine = "size=\(swap / 1024)KiB, \(isGPT ? "type=S, name=\(label)" : "type=82")\n"
    let first = root.number + 1
    let devices = (swap > 0 ? [first, first + 1] : [first]).map { disk.partition($0) }
    let target = devices[devices.count - 1]
    var steps = DiskSteps.append(disk.device, (swap > 0 ? swapLine : "") + "\(name)\n", last: target)
    if swap > 0 {
      steps += [.run(["mkswap", devices[0]], mayFail: false), .run(["swapon", devices[0]], mayFail: true)]
    }
    return steps + [DiskSteps.format(target, "ext4"), .mount(target, on: data)]
  }
}

/// Instance storage that jobs use as it is (reference/agent.md 17): one partition with a name that tells its number.
enum RawDiskPlan {
  static let prefix = "raw-ephemeral-"

  /// What is on it does not count: the settings say that it is ephemeral. sfdisk refuses a disk that is in use.
  static func steps(_ disk: BlockDevice, number: Int) -> [MachineStep] {
    if let table = disk.table, table.label == "gpt", table.partitions.contains(where: { $0.name.hasPrefix(prefix) }) {
      return []
    }
    return DiskSteps.partition(disk.device, "label: gpt\nname=\(prefix)\(number)\n", last: disk.partition(1))
  }

  /// Instance storage among devices: all that no link of the cloud leads to.
  ///
  /// - Throws: when there are not as many as the settings name.
  static func storage(_ devices: [String], managed: Set<String>, wanted: Int) throws -> [String] {
    let found = devices.filter { !managed.contains($0) }.sorted()
    guard found.count == wanted else {
      throw DroverError(
        .notFound,
        "disks.raw_ephemeral: expected \(wanted) devices of instance storage, found \(found.count): "
          + found.joined(separator: ", "))
    }
    return found
  }
}
