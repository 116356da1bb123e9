/// What `ip -batch` and `nft -f` are given to make the networks of VMs.
enum NetworkCommands {
  /// Brings up the bridge of a network. Repeating it changes nothing.
  static func bridge(_ bridge: VMNetwork.Bridge, server: String, exists: Bool) -> [String] {
    var lines: [String] = []
    if !exists { lines.append("link add name \(bridge.name) type bridge forward_delay 0") }
    // Without an address of its own a bridge has that of one of its ports, and another one when that VM goes: all others
    // would lose the gateway until they ask for it again.
    lines.append("link set dev \(bridge.name) address \(bridge.mac) alias \(alias(server, "")) up")
    if let address = bridge.address { lines.append("address replace \(address) dev \(bridge.name)") }
    return lines
  }

  /// On the host: the veth pair, one end on the bridge, the other made in the VM's network namespace.
  static func host(_ network: VMNetwork, server: String, vm: String, pid: Int) -> [String] {
    [
      "link add name \(network.hostInterface) type veth peer name \(network.interface)"
        + " address \(network.mac) netns \(pid)",
      "link set dev \(network.hostInterface) alias \(alias(server, vm)) master \(network.bridge.name) up",
    ]
  }

  /// In the VM: addresses and routes.
  static func guest(_ networks: [VMNetwork]) -> [String] {
    var lines = ["link set dev lo up"]
    for network in networks {
      lines.append("address add \(network.address)/\(network.prefix) broadcast + dev \(network.interface)")
      lines.append("link set dev \(network.interface) up")
    }
    for network in networks {
      if network.isDefaultGateway, let gateway = network.gateway {
        lines.append("route add default via \(gateway) dev \(network.interface)")
      }
      for route in network.routes {
        lines.append("route add \(route.destination) via \(route.gateway) dev \(network.interface)")
      }
    }
    return lines
  }

  /// The whole nft table of a server, in one transaction that replaces the one before; with no bridge to masquerade,
  /// the table is gone.
  static func table(server: String, bridges: [VMNetwork.Bridge]) -> String {
    let name = tableName(server)
    let rules = bridges.filter(\.masquerade).map {
      "    ip saddr \($0.subnet) oifname != \"\($0.name)\" masquerade\n"
    }
    var text = "table ip \(name) {}\ndelete table ip \(name)\n"
    if !rules.isEmpty {
      text += "table ip \(name) {\n  chain postrouting {\n    type nat hook postrouting priority 100; policy accept;\n"
      text += rules.joined() + "  }\n}\n"
    }
    return text
  }

  static func tableName(_ server: String) -> String {
    "drover_" + String(server.map { $0.isLetter || $0.isNumber ? $0 : "_" })
  }

  /// The alias of every interface on the host: says whose it is, and strays are found by it.
  static func alias(_ server: String, _ vm: String) -> String { "drover:\(server):\(vm)" }

  /// The label of the address on the loopback interface; the kernel wants at most 15 characters.
  static func endpointLabel(_ server: String) -> String { "lo:" + String(server.prefix(12)) }
}
