import Formats
import Testing

@testable import Agent

@Suite struct DiskPlanTests {
  private static let gigabyte: Int64 = 1 << 30

  private static func table(
    _ partitions: [(start: Int64, size: Int64, name: String)], label: String = "gpt", device: String = "/dev/sdc"
  ) -> PartitionTable {
    PartitionTable(
      label: label,
      partitions: partitions.enumerated().map { number, partition in
        .init(
          device: EphemeralDiskPlan.partition(number + 1, of: device), start: partition.start, size: partition.size,
          name: partition.name)
      })
  }

  /// What is run, without what only lets the kernel know.
  private static func programs(_ steps: [MachineStep]) -> [String] {
    steps.compactMap { step in
      switch step {
      case .run(let arguments, _):
        ["partx", "udevadm"].contains(arguments[0])
          ? nil : arguments[0] == "sh" ? arguments[3...].joined(separator: " ") : arguments.joined(separator: " ")
      case .mount(let device, let point): "mount \(device) \(point)"
      case .note(let text): "note \(text)"
      default: nil
      }
    }
  }

  @Test("sfdisk's description of a table is read, with what is free behind the last partition")
  func tables() throws {
    let text = """
      {"partitiontable": {"label": "gpt", "device": "/dev/loop0", "unit": "sectors", "sectorsize": 512, "partitions": [
        {"node": "/dev/loop0p10", "start": 6144, "size": 2048, "type": "X"},
        {"node": "/dev/loop0p2", "start": 2048, "size": 4096, "type": "X", "name": "x"}]}}
      """
    let table = try PartitionTable(json: Array(text.utf8))
    #expect(table.partitions.map(\.device) == ["/dev/loop0p2", "/dev/loop0p10"])
    #expect(table.partitions[0].name == "x" && table.label == "gpt")
    #expect(table.freeBytes(diskBytes: 8 << 20) == Int64(16384 - 34 - 8192) * 512)
    #expect(throws: DroverError.self) { try PartitionTable(json: Array("{}".utf8)) }
  }

  @Test("a blank persistent disk gets one partition with the file system that the settings name")
  func blank() throws {
    let disk = BlockDevice(device: "/dev/sdc", bytes: Self.gigabyte)
    let plan = try PersistentDiskPlan(disk, fileSystem: "", isPreformatted: false)
    #expect(plan.device == "/dev/sdc1")
    #expect(
      Self.programs(plan.steps) == [
        "sfdisk label: gpt\nname=bosh-unformatted\n --wipe always --wipe-partitions always /dev/sdc",
        "mkfs.ext4 -q -F /dev/sdc1",
        "sfdisk --quiet --no-reread --no-tell-kernel --part-label /dev/sdc 1 bosh-persistent",
      ])
    #expect(plan.steps.contains(.waitFor("/dev/sdc1")))
    let xfs = try PersistentDiskPlan(
      BlockDevice(device: "/dev/nvme1n1", bytes: Self.gigabyte), fileSystem: "xfs", isPreformatted: false)
    #expect(Self.programs(xfs.steps).dropLast().last == "mkfs.xfs -q -f /dev/nvme1n1p1")
    let error = #expect(throws: DroverError.self) {
      try PersistentDiskPlan(disk, fileSystem: "btrfs", isPreformatted: false)
    }
    #expect(error?.message.contains("\"btrfs\" is not supported") == true)
  }

  @Test("a disk that was used before is used as it is; one that has grown gets a larger partition")
  func used() throws {
    var disk = BlockDevice(
      device: "/dev/sdc", bytes: Self.gigabyte, table: Self.table([(2048, 2_093_056, "")]), content: "gpt",
      firstContent: "xfs")
    #expect(try PersistentDiskPlan(disk, fileSystem: "", isPreformatted: false).steps.isEmpty)
    disk.table = Self.table([(2048, 1_000_000, "")], label: "dos")
    #expect(
      try Self.programs(PersistentDiskPlan(disk, fileSystem: "", isPreformatted: false).steps)
        == ["sfdisk ,+\n --no-reread -N 1 /dev/sdc"])
    disk.firstContent = "ext4"
    #expect(
      try Self.programs(PersistentDiskPlan(disk, fileSystem: "", isPreformatted: false).steps)
        == ["sfdisk ,+\n --no-reread -N 1 /dev/sdc", "e2fsck /dev/sdc1", "resize2fs /dev/sdc1"])
    // The agent was killed before there was a file system, or before there was a partition.
    disk.table = Self.table([(2048, 2_093_056, "")])
    disk.firstContent = nil
    #expect(
      try Self.programs(PersistentDiskPlan(disk, fileSystem: "", isPreformatted: false).steps)
        == ["mkfs.ext4 -q -F /dev/sdc1"])
    // While the file system was made; what is seen of it then does not count.
    disk.table = Self.table([(2048, 2_093_056, PersistentDiskPlan.unfinished)])
    for content in [nil, "xfs", "ext4", "crypto_LUKS"] {
      disk.firstContent = content
      let plan = try PersistentDiskPlan(disk, fileSystem: "xfs", isPreformatted: false)
      #expect(plan.makesFileSystem)
      #expect(Self.programs(plan.steps).map { $0.prefix(8) } == ["mkfs.xfs", "sfdisk -"])
    }
    disk.table = Self.table([])
    #expect(
      try Self.programs(PersistentDiskPlan(disk, fileSystem: "", isPreformatted: false).steps).count == 3)
  }

  @Test("what may be somebody's data is left alone")
  func taken() throws {
    let disks = [
      BlockDevice(device: "/dev/sdc", bytes: Self.gigabyte, content: "ext4"),
      BlockDevice(device: "/dev/sdc", bytes: Self.gigabyte, content: "dos"),
      BlockDevice(
        device: "/dev/sdc", bytes: Self.gigabyte, table: Self.table([(2048, 100, ""), (4096, 100, "")]), content: "gpt"),
      BlockDevice(
        device: "/dev/sdc", bytes: Self.gigabyte, table: Self.table([(2048, 2_093_056, "")]), content: "gpt",
        firstContent: "crypto_LUKS"),
    ]
    for disk in disks {
      let error = #expect(throws: DroverError.self, "\(disk)") {
        try PersistentDiskPlan(disk, fileSystem: "", isPreformatted: false)
      }
      #expect(error?.code == .conflict && error?.message.contains("/dev/sdc") == true)
    }
    let preformatted = try PersistentDiskPlan(disks[0], fileSystem: "", isPreformatted: true)
    #expect(preformatted.steps.isEmpty && preformatted.device == "/dev/sdc")
  }

  @Test(
    "the root's partition is what the kernel says",
    arguments: [
      ("../../devices/pci0000:00/0000:00:05.0/virtio2/block/vda/vda1", "1\n", "/dev/vda", 1),
      ("../../devices/pci0000:00/nvme/nvme0/nvme0n1/nvme0n1p12", "12\n", "/dev/nvme0n1", 12),
      ("../../devices/virtual/block/dm-0", nil, nil, 0),
    ] as [(String, String?, String?, Int)])
  func root(link: String, number: String?, disk: String?, expected: Int) {
    let root = RootPartition(link: link, number: number)
    #expect(root?.disk == disk && root?.number ?? 0 == expected)
  }

  @Test("the root file system grows to the end of its disk, unless that is for data or cannot be")
  func grow() throws {
    let root = try #require(RootPartition(link: "x/block/sda/sda1", number: "1"))
    func steps(
      _ root: RootPartition?, _ fileSystem: String = "ext4", tool: Bool = true, ephemeral: Bool = true,
      options: LinuxOptions = .init()
    ) -> [String] {
      Self.programs(
        RootDiskPlan.grow(
          root, fileSystem: fileSystem, hasTool: tool, hasEphemeralDisk: ephemeral, options: options))
    }
    #expect(steps(root) == ["growpart /dev/sda 1", "resize2fs -f /dev/sda1"])
    #expect(steps(root, "xfs").last == "xfs_growfs -d /")
    #expect(steps(root, ephemeral: false).count == 2)
    let partitioning = try LinuxOptions(["createpartitionifnoephemeraldisk": true])
    for notes in [
      steps(nil), steps(root, tool: false), steps(root, "btrfs"),
      steps(root, ephemeral: false, options: partitioning),
    ] { #expect(notes.count == 1 && notes[0].hasPrefix("note growing the root file system: ")) }
    #expect(try steps(root, options: LinuxOptions(["skipdisksetup": true])).isEmpty)
  }

  @Test("data follow the root on its disk, once, if there is room")
  func data() throws {
    let root = try #require(RootPartition(link: "x/block/sda/sda1", number: "1"))
    func steps(_ table: PartitionTable?, gigabytes: Int64, swap: Int? = nil) throws -> [String] {
      Self.programs(
        try RootDiskPlan.data(
          BlockDevice(device: "/dev/sda", bytes: gigabytes * Self.gigabyte, table: table), after: root,
          swapMegabytes: swap, memoryBytes: Self.gigabyte, agentID: "a1", data: "/data"))
    }
    let fresh = Self.table([(2048, 6_291_456, "")], device: "/dev/sda")
    #expect(
      try steps(fresh, gigabytes: 10) == [
        "sfdisk size=1048576KiB, type=S, name=bosh-partition-a1\nname=bosh-partition-a1\n --append --no-reread --wipe-partitions always /dev/sda",
        "mkswap /dev/sda2", "swapon /dev/sda2", "mkfs.ext4 -q -F /dev/sda3", "mount /dev/sda3 /data",
      ])
    let dos = Self.table([(2048, 6_291_456, "")], label: "dos", device: "/dev/sda")
    #expect(
      try steps(dos, gigabytes: 10, swap: 0) == [
        "sfdisk type=83\n --append --no-reread --wipe-partitions always /dev/sda", "mkfs.ext4 -q -F /dev/sda2",
        "mount /dev/sda2 /data",
      ])
    let again = Self.table([(2048, 100, ""), (4096, 100, ""), (8192, 100, "")], device: "/dev/sda")
    #expect(
      try steps(again, gigabytes: 10) == [
        "blank mkswap /dev/sda2", "blank mkfs.ext4 -q -F /dev/sda3", "swapon /dev/sda2", "mount /dev/sda3 /data",
      ])
    #expect(throws: DroverError.self) { try steps(fresh, gigabytes: 3) }
    #expect(throws: DroverError.self) { try steps(nil, gigabytes: 30) }
  }

  @Test("instance storage gets one partition with a name that tells its number, once")
  func raw() throws {
    let blank = BlockDevice(device: "/dev/nvme1n1", bytes: Self.gigabyte)
    #expect(
      Self.programs(RawDiskPlan.steps(blank, number: 1)) == [
        "sfdisk label: gpt\nname=raw-ephemeral-1\n --wipe always --wipe-partitions always /dev/nvme1n1"
      ])
    var made = blank
    made.table = Self.table([(2048, 100, "raw-ephemeral-0")], device: "/dev/nvme1n1")
    #expect(RawDiskPlan.steps(made, number: 1).isEmpty)
    made.table = Self.table([(2048, 100, "other")], device: "/dev/nvme1n1")
    #expect(!RawDiskPlan.steps(made, number: 1).isEmpty)
    let devices = ["/dev/nvme2n1", "/dev/nvme0n1", "/dev/nvme1n1"]
    #expect(
      try RawDiskPlan.storage(devices, managed: ["/dev/nvme0n1"], wanted: 2) == ["/dev/nvme1n1", "/dev/nvme2n1"])
    #expect(throws: DroverError.self) { try RawDiskPlan.storage(devices, managed: [], wanted: 2) }
  }

  @Test("agent.json's options are read whatever their case was; a way of finding disks that is none is named")
  func options() throws {
    let options = try LinuxOptions([
      "devicepathresolutiontype": "virtio", "usepreformattedpersistentdisk": true, "bindmountpersistentdisk": true,
      "lundevicesymlinkpath": "/l", "diskidtransformpattern": "a", "diskidtransformreplacement": "b",
      "instancestoragemanagedvolumepattern": "/m*", "instancestoragedevicepattern": "/n*",
    ])
    #expect(options.resolution == .virtio && options.usesPreformattedDisks && options.bindsPersistentDisks)
    #expect(options.lunLinks == "/l" && options.idPattern == "a" && options.idReplacement == "b")
    #expect(options.managedVolumes == "/m*" && options.instanceStorage == "/n*")
    #expect(try LinuxOptions([:]).instanceStorage == "/dev/nvme*n1")
    let error = #expect(throws: DroverError.self) { try LinuxOptions(["devicepathresolutiontype": "magic"]) }
    #expect(error?.message.contains("'magic'") == true)
  }
}
