import AgentProtocol
import Files
import Formats
import Glibc
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Agent

/// Disks are looked for in folders that stand for /dev and /sys.
@Suite struct DeviceResolverTests {
  private func resolver(
    _ folder: String, _ options: ValueObject, patience: Duration = .milliseconds(300)
  ) throws -> DeviceResolver {
    DeviceResolver(options: try LinuxOptions(options), surroundings: .system, root: folder, patience: patience)
  }

  private func file(_ folder: String, _ path: String, _ text: String = "") throws {
    let place = folder + path
    try Files.makeFolder(String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)]))
    try writeTestFile(place, text)
  }

  private func link(_ folder: String, _ path: String, to target: String) throws {
    let place = folder + path
    try Files.makeFolder(String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)]))
    guard symlink(target, place) == 0 else { throw systemError("linking \(place)") }
  }

  @Test("by its path, or by what this kernel calls it; also when it appears a moment later")
  func paths() async throws {
    try await withTemporaryFolder { folder in
      try file(folder, "/dev/vdb")
      #expect(try await resolver(folder, [:]).device(DiskHint(path: "/dev/vdb")) == "/dev/vdb")
      await #expect(throws: DroverError.self) { try await resolver(folder, [:]).device(DiskHint(path: "/dev/sdb")) }
      let virtio = try resolver(folder, ["devicepathresolutiontype": "virtio"], patience: .seconds(20))
      #expect(try await virtio.device(DiskHint(path: "/dev/sdb")) == "/dev/vdb")
      try link(folder, "/dev/disk/here", to: "../vdb")
      #expect(try await virtio.device(DiskHint(path: "/dev/disk/here")) == "/dev/vdb")
      async let late = virtio.device(DiskHint(path: "/dev/sdc"))
      try await Task.sleep(for: .milliseconds(150))
      try file(folder, "/dev/xvdc")
      #expect(try await late == "/dev/xvdc")
    }
  }

  @Test("by its id among the links of udev, whole, or as the end of a name, or transformed; two are an error")
  func ids() async throws {
    try await withTemporaryFolder { folder in
      try file(folder, "/dev/vdb")
      try file(folder, "/dev/vdc")
      try file(folder, "/dev/nvme1n1")
      try link(folder, "/dev/disk/by-id/virtio-vol-1", to: "../../vdb")
      try link(folder, "/dev/disk/by-id/nvme-Amazon_EBS_vol0abc", to: "../../nvme1n1")
      let virtio = try resolver(folder, ["devicepathresolutiontype": "virtio"])
      #expect(try await virtio.device(DiskHint(path: "/dev/sdc", id: "vol-1")) == "/dev/vdb")
      // Not found by id: by path.
      #expect(try await virtio.device(DiskHint(path: "/dev/sdc", id: "vol-9")) == "/dev/vdc")
      let ebs = try resolver(
        folder,
        [
          "devicepathresolutiontype": "virtio", "diskidtransformpattern": "^vol-(.+)$",
          "diskidtransformreplacement": "nvme-Amazon_EBS_vol${1}",
        ])
      #expect(try await ebs.device(DiskHint(path: "/dev/sdf", id: "vol-0abc")) == "/dev/nvme1n1")
      try link(folder, "/dev/disk/by-id/other-vol-1", to: "../../vdc")
      let error = await #expect(throws: DroverError.self) {
        try await virtio.device(DiskHint(path: "/dev/sdc", id: "vol-1"))
      }
      #expect(error?.code == .conflict && error?.message.contains("/dev/vdb, /dev/vdc") == true)
    }
  }

  @Test("SCSI disks by id, by volume on the root's controller, and by lun of a vmbus device; hosts are rescanned")
  func scsi() async throws {
    try await withTemporaryFolder { folder in
      let options: ValueObject = ["devicepathresolutiontype": "scsi"]
      for name in ["sda", "sdb", "sdc"] { try file(folder, "/dev/\(name)") }
      try file(folder, "/sys/class/scsi_host/host2/scan")
      try link(folder, "/dev/disk/by-id/wwn-0x6000c2912345", to: "../../sdb")
      let scsi = try resolver(folder, options)
      #expect(try await scsi.device(DiskHint(id: "6000c29-12345")) == "/dev/sdb")
      #expect(Files.textIfPresent("\(folder)/sys/class/scsi_host/host2/scan") == "- - -")

      try file(folder, "/sys/bus/scsi/devices/2:0:0:0/block/sda/x")
      try file(folder, "/sys/bus/scsi/devices/2:0:3:0/block/sdc/x")
      #expect(try await scsi.device(DiskHint(volumeID: "3")) == "/dev/sdc")
      await #expect(throws: DroverError.self) { try await scsi.device(DiskHint(volumeID: "4")) }

      try file(folder, "/sys/bus/vmbus/devices/channel-7/device_id", "{f8b3781b}\n")
      try file(folder, "/sys/bus/scsi/devices/5:0:0:1/block/sdb/x")
      try file(folder, "/sys/bus/scsi/devices/4:0:0:1/block/sda/x")
      try link(folder, "/sys/class/block/sdb", to: "../../devices/channel-7/host5/sdb")
      try link(folder, "/sys/class/block/sda", to: "../../devices/channel-8/host4/sda")
      let hint = DiskHint(lun: "1", hostDeviceID: "{f8b3781b}")
      #expect(try await scsi.device(hint) == "/dev/sdb")
      let error = await #expect(throws: DroverError.self) {
        try await scsi.device(DiskHint(lun: "1", hostDeviceID: "{other}"))
      }
      #expect(error?.message.contains("{other}") == true)

      try link(folder, "/dev/luns/1", to: "../sdc")
      var lun = options
      lun["lundevicesymlinkpath"] = "/dev/luns"
      #expect(try await resolver(folder, lun).device(hint) == "/dev/sdc")
    }
  }

  @Test("a hint that says too little, or leads out of its folder, is refused at once")
  func hints() throws {
    for (kind, hint) in [
      ("", DiskHint(id: "x")), ("", DiskHint(path: "relative")), ("virtio", DiskHint(lun: "1")),
      ("scsi", DiskHint(path: "/dev/sdb")),
      ("scsi", DiskHint(lun: "1")), ("virtio", DiskHint(id: "../../etc")), ("iscsi", DiskHint(path: "/dev/sdb")),
    ] {
      #expect(throws: DroverError.self, "\(kind) \(hint)") {
        try resolver("/nowhere", ["devicepathresolutiontype": .string(kind)]).check(hint)
      }
    }
    // A bare string is path and volume id alike.
    try resolver("/nowhere", ["devicepathresolutiontype": "virtio"]).check(DiskHint("/dev/sdb"))
  }
}
