import Formats
import Testing

@testable import Clouds

@Suite("VMNetwork")
struct VMNetworkTests {
  static let manual: ValueObject = [
    "type": "manual", "ip": "10.244.0.9", "netmask": "255.255.252.0", "gateway": "10.244.0.1",
    "default": ["dns", "gateway"], "dns": ["1.1.1.1", "8.8.8.8"],
    "cloud_properties": ["masquerade": true],
  ]

  @Test("a manual network becomes an interface with the commands that make it")
  func commands() throws {
    let plan = try VMNetwork.plan(server: "s", vm: "vm-1", settings: ["default": .object(Self.manual)])
    let network = try #require(plan.first)
    #expect(plan.count == 1)
    #expect(network.prefix == 22)
    #expect(network.bridge.subnet == "10.244.0.0/22")
    #expect(network.bridge.name.count <= 15 && network.hostInterface.count <= 15)
    #expect(network.dns == ["1.1.1.1", "8.8.8.8"])
    let bridge = network.bridge.name
    #expect(
      NetworkCommands.bridge(network.bridge, server: "s", exists: false) == [
        "link add name \(bridge) type bridge forward_delay 0",
        "link set dev \(bridge) address \(network.bridge.mac) alias drover:s: up",
        "address replace 10.244.0.1/22 dev \(bridge)",
      ])
    #expect(
      NetworkCommands.host(network, server: "s", vm: "vm-1", pid: 7) == [
        "link add name \(network.hostInterface) type veth peer name eth0 address \(network.mac) netns 7",
        "link set dev \(network.hostInterface) alias drover:s:vm-1 master \(bridge) up",
      ])
    #expect(
      NetworkCommands.guest(plan) == [
        "link set dev lo up", "address add 10.244.0.9/22 broadcast + dev eth0", "link set dev eth0 up",
        "route add default via 10.244.0.1 dev eth0",
      ])
    #expect(
      NetworkCommands.table(server: "a-b", bridges: [network.bridge]) == """
        table ip drover_a_b {}
        delete table ip drover_a_b
        table ip drover_a_b {
          chain postrouting {
            type nat hook postrouting priority 100; policy accept;
            ip saddr 10.244.0.0/22 oifname != "\(bridge)" masquerade
          }
        }

        """)
    #expect(
      NetworkCommands.table(server: "a", bridges: []) == "table ip drover_a {}\ndelete table ip drover_a\n")
  }

  @Test("names on the host depend on the server, so that two servers do not meet; the same plan gives the same names")
  func names() throws {
    func plan(_ server: String, _ vm: String) throws -> VMNetwork {
      try #require(try VMNetwork.plan(server: server, vm: vm, settings: ["n": .object(Self.manual)]).first)
    }
    #expect(try plan("a", "vm-1") == plan("a", "vm-1"))
    #expect(try plan("a", "vm-1").bridge == plan("a", "vm-2").bridge)
    #expect(try plan("a", "vm-1").hostInterface != plan("a", "vm-2").hostInterface)
    #expect(try plan("a", "vm-1").bridge.name != plan("b", "vm-1").bridge.name)
  }

  @Test("of several networks the one with the default has the route and the DNS; vip networks have no interface")
  func several() throws {
    var other = Self.manual
    other["ip"] = "10.245.0.9"
    other["gateway"] = "10.245.0.1"
    other["default"] = nil
    other["routes"] = [["destination": "10.9.0.0", "netmask": "255.255.0.0", "gateway": "10.245.0.7"]]
    let plan = try VMNetwork.plan(
      server: "s", vm: "v",
      settings: ["b": .object(other), "vip": ["type": "vip", "ip": "192.0.2.1"], "a": .object(Self.manual)])
    #expect(plan.map(\.interface) == ["eth0", "eth1"])
    #expect(plan.map(\.isDefaultGateway) == [false, true])
    #expect(plan.map(\.dns.count) == [0, 2])
    #expect(
      NetworkCommands.guest(plan).filter { $0.hasPrefix("route") } == [
        "route add 10.9.0.0/16 via 10.245.0.7 dev eth0", "route add default via 10.244.0.1 dev eth1",
      ])
  }

  static let wrong: [(String, Value, String)] = [
    ("type", "dynamic", "networks.n.type: is dynamic; the runc cloud has manual networks (and ignores vip)"),
    ("ip", "10.244.0.300", "networks.n.ip: expected an IPv4 address, found 10.244.0.300"),
    ("ip", "10.244.0.1; reboot", "networks.n.ip: expected an IPv4 address, found 10.244.0.1; reboot"),
    ("ip", .null, "networks.n.ip: missing; expected a string"),
    ("ip", "10.244.0.1", "networks.n.ip: 10.244.0.1 is the gateway's address, which the host has"),
    ("netmask", "255.0.255.0", "networks.n.netmask: expected a netmask such as 255.255.255.0, found 255.0.255.0"),
    ("netmask", .null, "networks.n.netmask: missing; expected a netmask such as 255.255.255.0"),
    ("gateway", "10.250.0.1", "networks.n.gateway: 10.250.0.1 is not in 10.244.0.0/22"),
    ("routes", [["destination": "x"]], "networks.n.routes[0].Destination: expected an IPv4 address, found x"),
  ]

  @Test("what is wrong is named", arguments: wrong)
  func errors(field: String, value: Value, message: String) {
    var settings = Self.manual
    settings[field] = value
    let error = #expect(throws: CloudError.self) {
      _ = try VMNetwork.plan(server: "s", vm: "v", settings: ["n": .object(settings)])
    }
    #expect(error?.message == message)
  }

  @Test("netmasks and prefixes", arguments: [("255.255.255.0", 24), ("255.255.255.255", 32), ("128.0.0.0", 1)])
  func prefix(mask: String, prefix: Int) { #expect(IPv4.prefix(ofNetmask: mask) == prefix) }
}

@Suite("SettingsDocument")
struct SettingsDocumentTests {
  @Test("has what the agent reads, with networks that need no configuration")
  func document() throws {
    let request = VMRequest(
      agentID: "a", stemcell: "s", networks: ["n": .object(VMNetworkTests.manual)],
      env: ["bosh": ["mbus": ["urls": ["nats://h:1"]]]])
    let networks = try VMNetwork.plan(server: "s", vm: "vm-a", settings: request.networks)
    let document = SettingsDocument.make(
      request: request, vm: "vm-a", networks: networks, agent: ["mbus": "nats://x", "ntp": ["t"]], disks: ["d-1"])
    #expect(document["agent_id"] == "a")
    #expect(document["vm"] == ["name": "vm-a"])
    #expect(document["mbus"] == "nats://x")
    #expect(document["ntp"] == ["t"])
    #expect(document["env"] == .object(request.env))
    #expect(document["disks"] == ["persistent": ["d-1": ["path": "/var/vcap/disks/d-1"]]])
    #expect(document["networks"]?["n"]?["preconfigured"] == true)
    #expect(document["networks"]?["n"]?["mac"]?.string == networks[0].mac)
    #expect(document["networks"]?["n"]?["gateway"] == "10.244.0.1")
  }
}
