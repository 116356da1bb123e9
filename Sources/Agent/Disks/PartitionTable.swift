import Formats

/// The partitions of a disk, as `sfdisk --json` tells them.
struct PartitionTable: Sendable, Hashable {
  struct Partition: Sendable, Hashable {
    let device: String
    /// In sectors.
    let start: Int64
    let size: Int64
    /// Only GPT has names.
    let name: String
  }

  /// `gpt`, `dos`.
  let label: String
  let sectorSize: Int64
  /// In the order of their numbers.
  let partitions: [Partition]

  init(label: String, sectorSize: Int64 = 512, partitions: [Partition]) {
    self.label = label
    self.sectorSize = sectorSize
    self.partitions = partitions
  }

  /// - Throws: `DroverError` when it is not what sfdisk prints.
  init(json: [UInt8]) throws {
    let reader = try FieldReader(JSON.parse(json), at: "sfdisk").reader("partitiontable")
    label = try reader.string("label")
    sectorSize = Int64(try reader.optionalInt("sectorsize") ?? 512)
    partitions = try reader.readers("partitions").map { partition in
      Partition(
        device: try partition.string("node"), start: Int64(try partition.int("start")),
        size: Int64(try partition.int("size")), name: try partition.optionalString("name") ?? "")
    }.sorted { Self.number($0.device) < Self.number($1.device) }
  }

  /// What is free behind the last partition, in bytes.
  func freeBytes(diskBytes: Int64) -> Int64 {
    // GPT keeps a copy of itself at the end.
    let last = diskBytes / sectorSize - (label == "gpt" ? 34 : 0)
    let end = partitions.map { $0.start + $0.size }.max() ?? 2048
    return max(0, last - end) * sectorSize
  }

  /// The number at the end of a partition's name.
  static func number(_ device: String) -> Int {
    Int(String(device.reversed().prefix { $0.isNumber }.reversed())) ?? 0
  }
}

/// A disk as it was found.
struct BlockDevice: Sendable, Hashable {
  let device: String
  let bytes: Int64
  /// Nil without a partition table.
  var table: PartitionTable?
  /// The kind of what is on the device itself, or of its table; nil when it is blank.
  var content: String?
  /// The kind of what is on its first partition; nil when that is blank.
  var firstContent: String?

  func partition(_ number: Int) -> String { EphemeralDiskPlan.partition(number, of: device) }
}
