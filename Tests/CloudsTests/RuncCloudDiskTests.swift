import Files
import Formats
import Foundation
import Glibc
import Processes
import Testing

@testable import Clouds

@Suite("RuncCloud disks", .enabled(if: RealCloud.isPossible))
struct RuncCloudDiskTests {
  @Test("a disk appears in the running VM by its hint, keeps its content through another VM, and is on no host mount")
  func attach() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let disk = try await cloud.createDisk(megabytes: 10, cloudProperties: [:], vm: nil)
      let first = try await cloud.createVM(fixture.request()).id
      let hint = try await cloud.attachDisk(disk, to: first)
      let path = try #require(hint["path"]?.string)
      #expect(try await cloud.disks(of: first) == [disk])
      #expect(try await fixture.shell(first, "grep -c ' \(path) ' /proc/mounts") == "1")
      #expect(
        try await fixture.shell(
          first, "mkdir -p /var/vcap/store && mount --bind \(path) /var/vcap/store && echo kept >/var/vcap/store/f"
        ) == "")
      let settings = try JSON.parse(Array(await fixture.shell(first, "cat /var/vcap/bosh/user_data.json").utf8))
      #expect(settings["disks"]?["persistent"]?[disk] == hint)
      #expect(try await HostTraces.of(cloud).filter { $0.contains("disks") } == [])

      // A repeated call answers the same and mounts nothing twice.
      #expect(try await cloud.attachDisk(disk, to: first) == hint)
      #expect(try await fixture.shell(first, "grep -c ' \(path) ' /proc/mounts") == "1")

      _ = try await fixture.shell(first, "umount /var/vcap/store")
      try await cloud.detachDisk(disk, from: first)
      #expect(try await cloud.disks(of: first) == [])
      #expect(try await fixture.shell(first, "grep -c ' \(path) ' /proc/mounts || true") == "0")
      await #expect(throws: CloudError.self) { try await cloud.detachDisk(disk, from: first) }

      let second = try await cloud.createVM(fixture.request(address: 11)).id
      _ = try await cloud.attachDisk(disk, to: second)
      #expect(try await fixture.shell(second, "cat \(path)/f") == "kept")
    }
  }

  @Test("a disk is on one VM at a time, is not deleted while attached, and survives its VM")
  func ownership() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let disk = try await cloud.createDisk(megabytes: 10, cloudProperties: [:], vm: nil)
      let first = try await cloud.createVM(fixture.request()).id
      let second = try await cloud.createVM(fixture.request(address: 11)).id
      _ = try await cloud.attachDisk(disk, to: first)
      let refused = await #expect(throws: CloudError.self) { _ = try await cloud.attachDisk(disk, to: second) }
      #expect(refused?.message == "attaching \(disk) to \(second): it is attached to \(first)")
      await #expect(throws: CloudError.self) { try await cloud.deleteDisk(disk) }
      try await cloud.deleteVM(first)
      #expect(try await cloud.hasDisk(disk))
      _ = try await cloud.attachDisk(disk, to: second)
      try await cloud.detachDisk(disk, from: second)
      try await cloud.deleteDisk(disk)
      #expect(try await !cloud.hasDisk(disk))
      let missing = await #expect(throws: CloudError.self) { try await cloud.deleteDisk(disk) }
      #expect(missing?.kind == .diskNotFound)
    }
  }

  @Test("attached disks and the ephemeral disk are there again after a reboot; a link of the VM leads nowhere")
  func reboot() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let disk = try await cloud.createDisk(megabytes: 10, cloudProperties: [:], vm: nil)
      let vm = try await cloud.createVM(fixture.request()).id
      let path = try #require(try await cloud.attachDisk(disk, to: vm)["path"]?.string)
      _ = try await fixture.shell(vm, "echo 1 >\(path)/f; echo 2 >/var/vcap/data/f; echo 3 >/root/f")
      try await cloud.rebootVM(vm)
      #expect(try await fixture.shell(vm, "cat \(path)/f /var/vcap/data/f /root/f") == "1\n2\n3")
      #expect(try await fixture.shell(vm, "cat /var/vcap/data/boots") == "x\nx")

      // The VM's root makes its settings a link to a file of the host: the host's file stays as it is.
      let victim = "\(cloud.configuration.directory)/victim"
      try Files.replace(victim, with: Array("untouched".utf8))
      _ = try await fixture.shell(
        vm, "rm -f /var/vcap/bosh/user_data.json; ln -s \(victim) /var/vcap/bosh/user_data.json || true")
      try await cloud.detachDisk(disk, from: vm)
      #expect(Files.textIfPresent(victim) == "untouched")
    }
  }

  @Test("a disk has the size that was asked for, no more fits on it, and it grows with all that it holds")
  func size() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let disk = try await cloud.createDisk(megabytes: 16, cloudProperties: [:], vm: nil)
      guard try Files.exists("\(cloud.diskFolder(disk))/disk.img") else {
        return print("sizes of disks are not tested: this machine has no loop devices, or no mkfs.ext4")
      }
      let vm = try await cloud.createVM(fixture.request()).id
      let path = try #require(try await cloud.attachDisk(disk, to: vm)["path"]?.string)
      _ = try await fixture.shell(vm, "echo kept >\(path)/f")
      let kilobytes = Self.kilobytes(try await fixture.shell(vm, "df -k \(path)"))
      #expect((8_000...16_384).contains(kilobytes ?? 0), "\(kilobytes ?? 0)")
      #expect(
        try await fixture.shell(vm, "dd if=/dev/zero of=\(path)/big bs=1M count=20 2>/dev/null || echo full") == "full")
      await #expect(throws: CloudError.self, "it is mounted") { try await cloud.resizeDisk(disk, megabytes: 64) }
      try await cloud.detachDisk(disk, from: vm)
      try await cloud.resizeDisk(disk, megabytes: 64)
      _ = try await cloud.attachDisk(disk, to: vm)
      let grown = Self.kilobytes(try await fixture.shell(vm, "df -k \(path)"))
      #expect((40_000...65_536).contains(grown ?? 0), "\(grown ?? 0)")
      #expect(try await fixture.shell(vm, "cat \(path)/f") == "kept")
    }
  }

  /// The size that `df -k` tells, of the one file system it was asked about.
  private static func kilobytes(_ listing: String) -> Int? {
    let fields = listing.split(separator: "\n").last?.split(separator: " ") ?? []
    return fields.count > 1 ? Int(fields[1]) : nil
  }

  @Test("a killed VM leaves no loop device behind, and its disk is attached to the next one")
  func killed() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let disk = try await cloud.createDisk(megabytes: 16, cloudProperties: [:], vm: nil)
      let image = cloud.image(disk)
      guard try Files.exists(image.path) else { return }
      let vm = try await cloud.createVM(fixture.request()).id
      let path = try #require(try await cloud.attachDisk(disk, to: vm)["path"]?.string)
      _ = try await fixture.shell(vm, "echo kept >\(path)/f; sync")
      #expect(image.isInUse)
      let pid = try #require(try await fixture.status(vm).pid)
      let process = try #require(ProcessIdentity(livingPid: pid))
      try process.signal(SIGKILL)
      #expect(try await image.waitUntilFree())
      // As a server does that is started again.
      try await cloud.recover()
      #expect(try await fixture.shell(vm, "cat \(path)/f") == "kept")
      try await cloud.deleteVM(vm)
      #expect(try await image.waitUntilFree())
      let next = try await cloud.createVM(fixture.request(address: 11)).id
      _ = try await cloud.attachDisk(disk, to: next)
      #expect(try await fixture.shell(next, "cat \(path)/f") == "kept")
    }
  }

  @Test("disks that are folders, as older servers made them, go on as they are")
  func folders() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let folder = cloud.diskFolder("disk-old")
      try Files.makeFolder("\(folder)/data")
      try Files.replace("\(folder)/data/f", with: Array("kept\n".utf8))
      try Files.replace("\(folder)/disk.json", with: Array(#"{"id": "disk-old", "megabytes": 10}"#.utf8))
      let vm = try await cloud.createVM(fixture.request()).id
      let path = try #require(try await cloud.attachDisk("disk-old", to: vm)["path"]?.string)
      #expect(try await fixture.shell(vm, "cat \(path)/f") == "kept")
      try await cloud.rebootVM(vm)
      #expect(try await fixture.shell(vm, "cat \(path)/f") == "kept")
      try await cloud.resizeDisk("disk-old", megabytes: 20)
      try await cloud.detachDisk("disk-old", from: vm)
      try await cloud.deleteDisk("disk-old")
    }
  }
}
