import Clouds
import Files
import Formats
import Foundation
import Processes
import Testing

@Suite("RuncCloud", .enabled(if: RealCloud.isPossible))
struct RuncCloudTests {
  @Test("a VM has its name, address, route, DNS, settings and cgroup, and the host reaches it")
  func createVM() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let request = fixture.request(env: ["bosh": ["mbus": ["urls": ["nats://x"]]]])
      let created = try await cloud.createVM(request)
      let vm = created.id
      #expect(try await cloud.hasVM(vm))
      #expect(created.networks["default"]?["mac"]?.string != nil)
      #expect(try await fixture.shell(vm, "cat /proc/sys/kernel/hostname") == request.agentID)
      #expect(try await fixture.shell(vm, "cat /etc/resolv.conf") == "nameserver 192.0.2.53")
      #expect(try await fixture.shell(vm, "ip route show default").contains("via \(fixture.network).1 dev eth0"))
      #expect(try await fixture.shell(vm, "cat /proc/self/cgroup | grep memory").hasSuffix(":/"))
      let settings = try JSON.parse(Array(await fixture.shell(vm, "cat /var/vcap/bosh/user_data.json").utf8))
      #expect(settings["agent_id"]?.string == request.agentID)
      #expect(settings["env"] == .object(request.env))
      #expect(settings["networks"]?["default"]?["ip"]?.string == "\(fixture.network).10")
      #expect(try await fixture.shell(vm, "stat -c %a:%u /var/vcap/bosh/user_data.json") == "600:0")
      // A closed port answers with a refusal: it is the VM that says so, and the gateway to the VM.
      let fromHost = try await Command("bash", "-c", "timeout 5 bash -c '</dev/tcp/\(fixture.network).10/9'").result()
      #expect(fromHost.lastErrorLines().contains("Connection refused"))
      let fromVM = try await cloud.exec(vm, ["bash", "-c", "timeout 5 bash -c '</dev/tcp/\(fixture.network).1/9'"])
      #expect(String(decoding: fromVM.errors, as: UTF8.self).contains("Connection refused"))
      let status = try await fixture.status(vm)
      #expect(status.state == .running)
      #expect(status.addresses == ["\(fixture.network).10"])
      #expect((status.memory ?? 0) > 100_000)
    }
  }

  @Test("asked twice for the same agent there is one VM, also when both ask at the same time")
  func idempotence() async throws {
    try await CloudFixture.with { fixture in
      let request = fixture.request()
      async let first = fixture.cloud.createVM(request)
      async let second = fixture.cloud.createVM(request)
      let created = try await [first, second]
      #expect(created[0] == created[1])
      let vms = try await fixture.cloud.vms()
      #expect(vms.count == 1)
      #expect(try await fixture.shell(created[0].id, "cat /var/vcap/data/boots") == "x")
    }
  }

  @Test("VMs find their gateway at the same hardware address, whichever VMs come and go beside them")
  func gatewayStays() async throws {
    try await CloudFixture.with { fixture in
      func gateway() throws -> String {
        let networks = try JSON.parse(Files.read("\(fixture.cloud.configuration.directory)/networks.json"))
        let bridge = try #require(networks["bridges"]?[0]?["name"]?.string)
        return String(decoding: try Files.read("/sys/class/net/\(bridge)/address"), as: UTF8.self)
      }
      let first = try await fixture.cloud.createVM(fixture.request(address: 10)).id
      let before = try gateway()
      // The kernel would choose the lowest address of the ports; of four others, one is likely to be that.
      for address in 11...14 {
        let other = try await fixture.cloud.createVM(fixture.request(address: address)).id
        #expect(try gateway() == before)
        try await fixture.cloud.deleteVM(other)
        #expect(try gateway() == before)
      }
      #expect(try await fixture.cloud.hasVM(first))
    }
  }

  @Test("deleting leaves no mount, interface, cgroup or folder, and what is not there is VMNotFound")
  func deleteVM() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let before = try await HostTraces.of(cloud)
      let vm = try await cloud.createVM(fixture.request()).id
      let meanwhile = try await HostTraces.of(cloud)
      #expect(meanwhile.count > before.count)
      try await cloud.deleteVM(vm)
      let bridge = try await HostTraces.of(cloud).filter {
        !$0.contains(" drb-") && !$0.hasSuffix(cloud.configuration.name)
      }
      #expect(bridge == before)
      #expect(try Files.names(in: "\(cloud.configuration.directory)/vms") == [])
      #expect(try await !cloud.hasVM(vm))
      await #expect(throws: CloudError.self) { try await cloud.deleteVM(vm) }
      try await cloud.destroyAll()
      #expect(try await HostTraces.of(cloud) == [])
      #expect(try !Files.exists(cloud.configuration.directory))
    }
  }
}
