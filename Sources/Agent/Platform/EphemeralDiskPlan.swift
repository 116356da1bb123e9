import Formats

/// What becomes of a VM's ephemeral disk: swap and the file system under /var/vcap/data (reference/agent.md 5, 17).
///
/// A disk that is partitioned already (by this agent or by another one before it) is used as it is, and what is still
/// blank on it is finished. A blank one is partitioned where the stemcell has a tool for it; else it becomes one file system, with the swap in a file.
struct EphemeralDiskPlan: Sendable, Hashable {
  /// What there is.
  struct Disk: Sendable, Hashable {
    var device: String
    var bytes: Int64
    /// Devices of its partitions, in order.
    var partitions: [String] = []
    /// The kind of what is on the device itself; nil when it is blank.
    var content: String?
  }

  static let swapFile = "swapfile"
  var steps: [MachineStep]

  /// - Parameters:
  ///   - swapMegabytes: as the settings have it; nil lets the agent choose.
  ///   - memoryBytes: the machine's.
  ///   - canPartition: whether there is `sfdisk`.
  ///   - label: of partitions, from the agent's id.
  /// - Throws: when the disk holds something else, or is too small.
  init(
    _ disk: Disk, swapMegabytes: Int?, memoryBytes: Int64, canPartition: Bool, agentID: String, data: String
  ) throws {
    let swap = Self.swapBytes(swapMegabytes, disk: disk.bytes, memory: memoryBytes)
    if let last = disk.partitions.last {
      let swap = disk.partitions.count > 1 && swapMegabytes != 0 ? disk.partitions[0] : nil
      steps =
        DiskSteps.finish(swap: swap, data: last) + (swap.map { [.run(["swapon", $0], mayFail: true)] } ?? [])
        + [.mount(last, on: data)]
      return
    }
    if disk.content == "ext4" {
      steps = [.mount(disk.device, on: data)] + Self.swapFileSteps(swap, data)
      return
    }
    guard disk.content == nil else {
      throw DroverError(
        .conflict,
        "the ephemeral disk \(disk.device) holds \(disk.content ?? ""); it is left alone, since it may be somebody's data"
      )
    }
    guard disk.bytes - swap >= 16 << 20 else {
      throw DroverError(.invalid, "the ephemeral disk \(disk.device) is too small: \(disk.bytes) bytes")
    }
    guard canPartition else {
      steps =
        [.run(["mkfs.ext4", "-q", "-F", disk.device], mayFail: false), .mount(disk.device, on: data)]
        + Self.swapFileSteps(swap, data)
      return
    }
    let label = String("bosh-partition-\(agentID)".prefix(33))
    let table =
      swap > 0 ? "label: gpt\nsize=\(swap / 1024)KiB, name=\(label)\nname=\(label)\n" : "label: gpt\nname=\(label)\n"
    let numbers = swap > 0 ? [1, 2] : [1]
    let devices = numbers.map { Self.partition($0, of: disk.device) }
    steps = DiskSteps.partition(disk.device, table, last: devices[devices.count - 1])
    if swap > 0 {
      steps += [.run(["mkswap", devices[0]], mayFail: false), .run(["swapon", devices[0]], mayFail: false)]
    }
    steps += [
      .run(["mkfs.ext4", "-q", "-F", devices[devices.count - 1]], mayFail: false),
      .mount(devices[devices.count - 1], on: data),
    ]
  }

  /// 0 is none; not given is the memory's size, at most half the disk.
  static func swapBytes(_ megabytes: Int?, disk: Int64, memory: Int64) -> Int64 {
    let wanted = megabytes.map { Int64(max(0, $0)) << 20 } ?? min(memory, disk / 2)
    return min(wanted, max(0, disk - (16 << 20))) / 1024 * 1024
  }

  static func partition(_ number: Int, of device: String) -> String {
    if device.hasPrefix("/dev/mapper/") { return "\(device)-part\(number)" }
    return device.last?.isNumber == true ? "\(device)p\(number)" : "\(device)\(number)"
  }

  private static func swapFileSteps(_ bytes: Int64, _ data: String) -> [MachineStep] {
    guard bytes >= 1 << 20 else { return [] }
    let path = "\(data)/\(swapFile)"
    let make =
      "[ -e \"$1\" ] || { umask 077; dd if=/dev/zero of=\"$1\" bs=1M count=\(bytes >> 20) status=none && mkswap -q \"$1\"; }"
    // A kernel may refuse swap in a container; the machine works without.
    return [.run(["sh", "-c", make, "swap", path], mayFail: true), .run(["swapon", path], mayFail: true)]
  }
}
