import Clouds
import Formats
import Foundation
import Processes
import Testing

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
}
