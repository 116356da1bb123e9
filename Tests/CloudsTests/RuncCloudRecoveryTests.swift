import Clouds
import Containers
import Files
import Formats
import Foundation
import Glibc
import Processes
import Testing

@Suite("RuncCloud recovery", .enabled(if: RealCloud.isPossible))
struct RuncCloudRecoveryTests {
  @Test("stopped with the server, VMs come back with their files, address, data and disks")
  func stopAndRecover() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let vm = try await cloud.createVM(fixture.request()).id
      let disk = try await cloud.createDisk(megabytes: 1, cloudProperties: [:], vm: vm)
      let path = try #require(try await cloud.attachDisk(disk, to: vm)["path"]?.string)
      _ = try await fixture.shell(vm, "echo 1 >/root/f; echo 2 >\(path)/f")
      try await cloud.stopAll()
      #expect(try await fixture.status(vm).state == .stopped)
      #expect(try await fixture.status(vm).pid == nil)
      let console = try #require(Files.textIfPresent("\(cloud.configuration.directory)/vms/\(vm)/console.log"))
      #expect(console.contains("stopping"))
      try await cloud.recover()
      let status = try await fixture.status(vm)
      #expect(status.state == .running)
      #expect(status.addresses == ["\(fixture.network).10"])
      #expect(try await fixture.shell(vm, "cat /root/f \(path)/f; ip -o addr show eth0").hasPrefix("1\n2\n"))
      // What runs already is left alone.
      try await cloud.recover()
      #expect(try await fixture.status(vm).pid == status.pid)
    }
  }

  @Test("a process that lives for a call brings VMs back once after each start of the host")
  func onceAfterBoot() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let vm = try await cloud.createVM(fixture.request()).id
      try await cloud.stopAll()
      try await cloud.recoverAfterBoot()
      #expect(try await fixture.status(vm).state == .running)
      try await cloud.stopAll()
      try await cloud.recoverAfterBoot()
      #expect(try await fixture.status(vm).state == .stopped)
      try Files.replace("\(cloud.configuration.directory)/recovered-at-boot", with: Array("another boot".utf8))
      try await cloud.recoverAfterBoot()
      #expect(try await fixture.status(vm).state == .running)
    }
  }

  @Test("after a reboot of the host (all processes and interfaces gone, runc's state stale) VMs are started again")
  func hostReboot() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let vm = try await cloud.createVM(fixture.request(masquerade: true)).id
      let status = try await fixture.status(vm)
      _ = try await fixture.shell(vm, "echo 1 >/root/f")
      let process = try #require(ProcessIdentity(livingPid: status.pid ?? 0))
      try process.signal(SIGKILL)
      try await process.waitForExit()
      #expect(try await fixture.status(vm).state == .failed)
      // A line of `ip link` begins with the number and the name of an interface: "7: drb-1: <…". That of the VM, which
      // names the bridge as its master, may still be there: the kernel removes it some time after the VM's last process.
      let names = try await HostTraces.of(cloud).compactMap { $0.split(separator: " ").dropFirst().first?.dropLast() }
      let bridges = names.filter { $0.hasPrefix("drb-") }
      #expect(bridges.count == 1)
      for bridge in bridges { try await Command("ip", "link", "delete", "dev", String(bridge)).run() }
      let table = "drover_\(cloud.configuration.name)"
      try await Command("nft", "delete", "table", "ip", table).run()
      try await cloud.recover()
      #expect(try await fixture.status(vm).state == .running)
      #expect(try await fixture.shell(vm, "cat /root/f /var/vcap/data/boots") == "1\nx\nx")
      #expect(try await HostTraces.of(cloud).contains { $0.contains(" drb-") })
      #expect(try await HostTraces.of(cloud).contains { $0.contains(table) })
    }
  }

  @Test("a VM whose making was interrupted is cleaned away, wherever it was", arguments: ["folder", "container"])
  func halfMade(stage: String) async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let request = fixture.request()
      let vm = try await cloud.createVM(request).id
      let folder = "\(cloud.configuration.directory)/vms/\(vm)"
      let pid = try #require(try await fixture.status(vm).pid)
      var record = try #require(try JSON.parse(Files.read("\(folder)/vm.json")).object)
      record["phase"] = "making"
      if stage == "folder" {
        // Killed after the container was made and before its process was on record.
        record["process"] = nil
      }
      try Files.replace("\(folder)/vm.json", with: JSON.bytes(.object(record)))
      #expect(try await fixture.status(vm).state == .unfinished)
      try await cloud.recover()
      #expect(ProcessIdentity(livingPid: pid) == nil)
      #expect(try Files.names(in: "\(cloud.configuration.directory)/vms") == [])
      #expect(try await HostTraces.of(cloud).filter { $0.contains(vm) } == [])
      // The director asks again and gets a VM.
      let again = try await cloud.createVM(request).id
      #expect(again == vm)
      #expect(try await fixture.status(vm).state == .running)
    }
  }

  @Test("a stray veth pair and a half-unpacked stemcell are removed at the start")
  func strays() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let stray = "drv-\(cloud.configuration.name)"
      let half = "\(cloud.configuration.directory)/stemcells/.new-stemcell-x"
      try await Command("ip", "link", "add", "name", stray, "type", "bridge").run()
      try await Command("ip", "link", "set", stray, "alias", "drover:\(cloud.configuration.name):vm-gone").run()
      try Files.makeFolder("\(half)/rootfs")
      try await cloud.recover()
      #expect(try !Files.exists("/sys/class/net/\(stray)"))
      #expect(try !Files.exists(half))
    }
  }

  @Test("the host endpoint is added once, answers, and goes with the cloud")
  func hostEndpoint() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let address = "10.253.\(UInt8.random(in: .min ... .max)).\(UInt8.random(in: 1...254))"
      try await cloud.ensureHostEndpoint("\(address)/32")
      try await cloud.ensureHostEndpoint("\(address)/32")
      let shown = try await Command("ip", "-oneline", "address", "show", "dev", "lo").run().text
      #expect(shown.components(separatedBy: " \(address)/32 ").count == 2)
      let vm = try await cloud.createVM(fixture.request()).id
      let answer = try await cloud.exec(vm, ["bash", "-c", "timeout 5 bash -c '</dev/tcp/\(address)/9'"])
      #expect(String(decoding: answer.errors, as: UTF8.self).contains("Connection refused"))
      try await cloud.destroyAll()
      let after = try await Command("ip", "-oneline", "address", "show", "dev", "lo").run().text
      #expect(!after.contains(address))
    }
  }

  @Test("two clouds on one host do not meet, and a subnet can't be in both")
  func twoClouds() async throws {
    try await CloudFixture.with { first in
      try await CloudFixture.with { second in
        let request = first.request()
        let vm = try await first.cloud.createVM(request).id
        var same = request
        same.stemcell = second.stemcell
        let refused = await #expect(throws: CloudError.self) { _ = try await second.cloud.createVM(same) }
        #expect(refused?.message.contains("is an address of the interface drb-") == true)
        _ = try await second.cloud.createVM(second.request(request.agentID))
        try await second.cloud.destroyAll()
        #expect(try await first.status(vm).state == .running)
      }
    }
  }
}
