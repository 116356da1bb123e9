import AgentProtocol
import Files
import Formats
import Glibc
import Logging
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Agent

/// Needs loop devices, and the programs that make partitions and file systems.
private let canMount: Bool = {
  let programs = ["sfdisk", "partx", "blkid", "mkfs.ext4", "resize2fs", "losetup"]
  let missing = programs.filter { program in
    !["/usr/sbin", "/usr/bin", "/sbin", "/bin"].contains { Files.isVisible("\($0)/\(program)") }
  }
  let can = geteuid() == 0 && Files.isVisible("/dev/loop-control") && missing.isEmpty
  if !can { print("BlockDiskTests: left out, since they need root, loop devices, \(missing.joined(separator: ", "))") }
  return can
}()

/// Those that can be made and mounted here.
private let fileSystems: [String] = {
  let xfs = (Files.textIfPresent("/proc/filesystems") ?? "").contains("xfs") && Files.isVisible("/usr/sbin/mkfs.xfs")
  if !xfs { print("BlockDiskTests: without xfs, which this machine does not have") }
  return xfs ? ["ext4", "xfs"] : ["ext4"]
}()

@Suite(.enabled(if: canMount), .serialized, .timeLimit(.minutes(10))) struct BlockDiskTests {
  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private static func with(
    megabytes: Int, fileSystem: String = "", _ body: (String, String, BlockDisks, DiskHint) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      let image = "\(folder)/disk.img"
      try await Command("truncate", "-s", "\(megabytes)M", image).run()
      let layout = VMLayout(base: "\(folder)/vcap")
      let disks = BlockDisks(
        layout: layout, ownership: Ownership(vcap: nil),
        resolver: DeviceResolver(options: LinuxOptions(), surroundings: .system, patience: .seconds(2)),
        fileSystem: fileSystem, mountOptions: ["noatime"], surroundings: .system, logger: logger)
      try await withLoopDevice(image, "--partscan") { device in
        defer {
          for point in [layout.store, layout.storeMigrationTarget] where umount2(point, 0) != 0 {
            umount2(point, Int32(MNT_DETACH))
          }
        }
        try await body(layout.store, image, disks, DiskHint(path: device))
      }
    }
  }

  @Test("a blank disk is partitioned, made a file system on, mounted, found again, and keeps what it holds")
  func blank() async throws {
    try await Self.with(megabytes: 64) { store, _, disks, hint in
      #expect(try await !disks.isMounted(hint))
      // After a restart of the agent a disk that is blank is not the one that was mounted.
      let wrong = await #expect(throws: DroverError.self) { try await disks.mount(hint, on: store, mayMake: false) }
      #expect(wrong?.message.contains("is it the right one?") == true)
      #expect(try await DiskProbe.content(of: hint.path) == nil)
      try await disks.mount(hint, on: store, mayMake: true)
      #expect(try await disks.isMounted(hint))
      #expect(try await disks.isMounted(hint, on: store))
      #expect(try await !disks.isMounted(hint, on: disks.layout.storeMigrationTarget))
      let mount = try #require(MountTable.current().mounts.last { $0.point == store })
      #expect(mount.type == "ext4" && mount.root == "/")
      try writeTestFile("\(store)/kept", "data")
      try disks.setWritable(store, false)
      #expect(throws: (any Error).self) { try writeTestFile("\(store)/more", "data") }
      try await disks.unmount(store)
      #expect(try await !disks.isMounted(hint))
      try await disks.mount(hint, on: store, mayMake: false)
      // A second time is no harm.
      try await disks.mount(hint, on: store, mayMake: true)
      #expect(Files.textIfPresent("\(store)/kept") == "data")
      try await disks.unmount(store)
      // Another disk is not taken for this one, and one that is gone is not mounted.
      #expect(try await !disks.isMounted(DiskHint(path: "/dev/no-such-disk")))
      await #expect(throws: DroverError.self) {
        try await disks.mount(DiskHint(path: "/dev/no-such-disk"), on: store, mayMake: true)
      }
    }
  }

  @Test(
    "a disk that was made larger has a larger file system when it is mounted again", arguments: fileSystems)
  func grown(fileSystem: String) async throws {
    try await Self.with(megabytes: 400, fileSystem: fileSystem) { store, image, disks, hint in
      try await disks.mount(hint, on: store, mayMake: true)
      try writeTestFile("\(store)/kept", "data")
      func blocks() -> UInt {
        var information = statvfs()
        statvfs(store, &information)
        return (information.f_blocks * UInt(information.f_frsize)) >> 20
      }
      let before = blocks()
      try await disks.unmount(store)
      try await Command("truncate", "-s", "640M", image).run()
      try await Command("losetup", "--set-capacity", hint.path).run()
      try await disks.mount(hint, on: store, mayMake: true)
      #expect(blocks() > before + 150)
      #expect(MountTable.current().mounts.last { $0.point == store }?.type == fileSystem)
      #expect(Files.textIfPresent("\(store)/kept") == "data")
    }
  }

  @Test("a disk with a file system and no partitions is left alone, or mounted when agent.json says so")
  func preformatted() async throws {
    try await Self.with(megabytes: 32) { store, _, disks, hint in
      try await Command("mkfs.ext4", "-q", hint.path).run()
      let error = await #expect(throws: DroverError.self) { try await disks.mount(hint, on: store, mayMake: true) }
      #expect(error?.code == .conflict && error?.message.contains("ext4") == true)
      let options = try LinuxOptions(["usepreformattedpersistentdisk": true])
      let whole = BlockDisks(
        layout: disks.layout, ownership: disks.ownership,
        resolver: DeviceResolver(options: options, surroundings: .system), fileSystem: "", mountOptions: [],
        surroundings: .system, logger: Self.logger)
      try await whole.mount(hint, on: store, mayMake: false)
      #expect(try await whole.isMounted(hint, on: store))
    }
  }

  @Test("instance storage gets its partition, whatever it held, and keeps it")
  func raw() async throws {
    try await Self.with(megabytes: 32) { _, _, disks, hint in
      try await Command("mkfs.ext4", "-q", hint.path).run()
      let steps = MachineSteps(layout: disks.layout, ownership: disks.ownership, root: "", logger: Self.logger)
      try await steps.perform(RawDiskPlan.steps(try await DiskProbe.look(at: hint.path), number: 3))
      let disk = try await DiskProbe.look(at: hint.path)
      #expect(disk.table?.partitions.map(\.name) == ["raw-ephemeral-3"] && disk.firstContent == nil)
      #expect(RawDiskPlan.steps(disk, number: 3).isEmpty)
    }
  }

  @Test(
    "an agent that was killed between partitioning and formatting, or while formatting, begins again with the formatting",
    arguments: ["before", "within", "after"])
  func killedPersistent(moment: String) async throws {
    try await Self.with(megabytes: 64) { store, _, disks, hint in
      let steps = MachineSteps(layout: disks.layout, ownership: disks.ownership, root: "", logger: Self.logger)
      let plan = try PersistentDiskPlan(
        try await DiskProbe.look(at: hint.path), fileSystem: "", isPreformatted: false)
      // Partitioned, and then formatted and named, or not.
      try await steps.perform(Array(plan.steps.dropLast(moment == "before" ? 2 : 1)))
      if moment == "within" {
        // What looks like a file system and is none.
        try await Command("dd", "if=/dev/zero", "of=\(plan.device)", "bs=4k", "seek=1", "count=64", "conv=notrunc")
          .run()
        #expect(try await DiskProbe.content(of: plan.device) == "ext4")
      }
      // After a restart of the agent nobody takes it for the disk that was in use.
      let wrong = await #expect(throws: DroverError.self) { try await disks.mount(hint, on: store, mayMake: false) }
      #expect(wrong?.message.contains("is it the right one?") == true)
      try await disks.mount(hint, on: store, mayMake: true)
      #expect(try await DiskProbe.look(at: hint.path).table?.partitions.map(\.name) == [PersistentDiskPlan.name])
      try writeTestFile("\(store)/kept", "data")
      try await disks.unmount(store)
      try await disks.mount(hint, on: store, mayMake: false)
      #expect(Files.textIfPresent("\(store)/kept") == "data")
      try await disks.unmount(store)
    }
  }

  @Test("a disk that had no room for its file system gets it when there is room")
  func fullDisk() async throws {
    try await withSmallDisk(kilobytes: 256) { small in
      let image = "\(small)/disk.img"
      try await Command("truncate", "-s", "64M", image).run()
      let layout = VMLayout(base: "\(small)/vcap")
      let disks = BlockDisks(
        layout: layout, ownership: Ownership(vcap: nil),
        resolver: DeviceResolver(options: LinuxOptions(), surroundings: .system, patience: .seconds(2)),
        fileSystem: "", mountOptions: [], surroundings: .system, logger: Self.logger)
      try await withLoopDevice(image, "--partscan") { device in
        defer { umount2(layout.store, Int32(MNT_DETACH)) }
        let hint = DiskHint(path: device)
        await #expect(throws: DroverError.self) { try await disks.mount(hint, on: layout.store, mayMake: true) }
        #expect(!MountTable.isMountPoint(layout.store))
        try await Command("mount", "-o", "remount,size=200m", small).run()
        try await disks.mount(hint, on: layout.store, mayMake: true)
        try writeTestFile("\(layout.store)/kept", "data")
        #expect(Files.textIfPresent("\(layout.store)/kept") == "data")
        try await disks.unmount(layout.store)
      }
    }
  }

  @Test("an ephemeral disk that was partitioned and not formatted is formatted when the agent starts again, once")
  func killedEphemeral() async throws {
    try await Self.with(megabytes: 128) { store, _, disks, hint in
      let steps = MachineSteps(layout: disks.layout, ownership: disks.ownership, root: "", logger: Self.logger)
      func plan() async throws -> [MachineStep] {
        let disk = try await DiskProbe.look(at: hint.path)
        return try EphemeralDiskPlan(
          EphemeralDiskPlan.Disk(
            device: hint.path, bytes: disk.bytes, partitions: (1...8).map(disk.partition).filter(Files.isVisible),
            content: disk.content),
          swapMegabytes: 16, memoryBytes: 1 << 30, canPartition: true, agentID: "a1", data: store
        ).steps.filter { step in
          // This machine's swap is not the test's.
          if case .run(let arguments, _) = step { arguments[0] != "swapon" } else { true }
        }
      }
      let first = try await plan()
      let formats = try #require(
        first.firstIndex { step in if case .run(let arguments, _) = step { arguments[0] == "mkswap" } else { false } })
      try await steps.perform(Array(first[..<formats]))
      try await steps.perform(plan())
      #expect(MountTable.current().mounts.last { $0.point == store }?.type == "ext4")
      #expect(try await DiskProbe.content(of: "\(hint.path)p1") == "swap")
      try writeTestFile("\(store)/kept", "data")
      umount2(store, 0)
      try await steps.perform(plan())
      #expect(Files.textIfPresent("\(store)/kept") == "data")
    }
  }

  @Test("data follow a root partition on a real disk")
  func behindRoot() async throws {
    try await Self.with(megabytes: 1400) { store, _, disks, hint in
      let steps = MachineSteps(layout: disks.layout, ownership: disks.ownership, root: "", logger: Self.logger)
      try await steps.perform(
        DiskSteps.partition(hint.path, "label: dos\nsize=64MiB\n", last: "\(hint.path)p1"))
      let name = hint.path.split(separator: "/")[1]
      let root = try #require(RootPartition(link: "x/block/\(name)/\(name)p1", number: "1"))
      func plan() async throws -> [MachineStep] {
        try RootDiskPlan.data(
          try await DiskProbe.look(at: hint.path), after: root, swapMegabytes: 0, memoryBytes: 1 << 30, agentID: "a1",
          data: store)
      }
      try await steps.perform(plan())
      #expect(MountTable.current().mounts.last { $0.point == store }?.type == "ext4")
      #expect(
        try await plan() == DiskSteps.finish(swap: nil, data: "\(hint.path)p2") + [.mount("\(hint.path)p2", on: store)])
    }
  }
}
