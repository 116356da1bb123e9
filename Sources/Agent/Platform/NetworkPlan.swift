import AgentProtocol
import Formats

/// What is to be done for the networks of a VM (reference/agent.md 18): files for systemd-networkd and for the resolver.
struct NetworkPlan: Sendable, Hashable {
  struct Interface: Sendable, Hashable {
    let name: String
    /// Lower case.
    let mac: String
  }

  /// How names are resolved on this machine.
  enum Resolver: Sendable, Hashable { case resolved, resolvconf, plain }

  static let folder = "/etc/systemd/network"

  /// By path.
  var files: [String: String] = [:]
  /// Files of ours that nothing belongs to any more.
  var stale: [String] = []
  /// Addresses that must be there afterwards, by interface.
  var addresses: [String: [String]] = [:]
  /// Nil when DNS is left as it is.
  var dns: [String] = []

  /// - Parameters:
  ///   - present: names of files in ``folder``.
  /// - Throws: `DroverError` with code `invalid` when a network finds no interface.
  init(_ networks: [NetworkSettings], interfaces: [Interface], present: [String]) throws {
    dns = networks.defaultNetwork(for: "dns")?.dns ?? []
    let real = networks.filter { !$0.isVIP }
    if real.allSatisfy(\.isPreconfigured) { return }
    let owners = try Self.owners(real, interfaces)
    for interface in interfaces {
      let own = real.filter { owners[$0.name] == interface.name }
      files["\(Self.folder)/10_\(interface.name).network"] = try Self.file(interface, own, all: real, dns: dns)
      let fixed = own.filter { !$0.isDHCP }.map(\.ip)
      if !fixed.isEmpty { addresses[interface.name] = fixed }
    }
    stale = present.filter { $0.hasPrefix("10_") && $0.hasSuffix(".network") }.map { "\(Self.folder)/\($0)" }
      .filter { files[$0] == nil }.sorted()
  }

  /// What a machine starts with that nobody has told anything: DHCP on all its interfaces, to reach whoever can tell.
  ///
  /// - Parameter present: names of files in ``folder``; where one of ours is, there is a network already.
  /// - Returns: nil when nothing is to be done.
  static func first(_ interfaces: [Interface], present: [String]) throws -> NetworkPlan? {
    guard !present.contains(where: { $0.hasPrefix("10_") && $0.hasSuffix(".network") }) else { return nil }
    var plan = try NetworkPlan([], interfaces: [], present: [])
    for interface in interfaces {
      plan.files["\(folder)/10_\(interface.name).network"] = try file(interface, [], all: [], dns: [])
    }
    return plan.files.isEmpty ? nil : plan
  }

  /// The interface of each network: by hardware address, or the only one for the only network.
  private static func owners(_ networks: [NetworkSettings], _ interfaces: [Interface]) throws -> [String: String] {
    var owners: [String: String] = [:]
    for network in networks {
      if network.mac.isEmpty, networks.count == 1, interfaces.count == 1 {
        owners[network.name] = interfaces[0].name
        continue
      }
      guard let interface = interfaces.first(where: { $0.mac == network.mac.lowercased() }) else {
        let there = interfaces.map { "\($0.name) (\($0.mac))" }.joined(separator: ", ")
        throw DroverError(
          .invalid,
          network.mac.isEmpty
            ? "networks.\(network.name).mac: missing; needed with \(networks.count) networks and \(interfaces.count) interfaces"
            : "networks.\(network.name): no interface has the address \(network.mac); there are \(there.isEmpty ? "none" : there)"
        )
      }
      owners[network.name] = interface.name
    }
    return owners
  }

  private static func file(
    _ interface: Interface, _ own: [NetworkSettings], all: [NetworkSettings], dns: [String]
  ) throws -> String {
    let gatewayNetwork = all.defaultNetwork(for: "gateway")?.name
    let isDefault = own.isEmpty ? all.isEmpty : own.contains { $0.name == gatewayNetwork }
    var sections = [section("Match", ["Name=\(interface.name)"])]
    let fixed = own.filter { !$0.isDHCP }
    for network in fixed {
      sections.append(section("Address", ["Address=\(try word(network.ip, network, "ip"))/\(try prefix(network))"]))
    }
    var lines: [String] = []
    if fixed.count < own.count || own.isEmpty { lines.append("DHCP=yes") }
    for network in fixed where network.name == gatewayNetwork && !network.gateway.isEmpty {
      lines.append("Gateway=\(try word(network.gateway, network, "gateway"))")
    }
    if !own.isEmpty { lines += try dns.map { "DNS=\(try word($0, own[0], "dns"))" } }
    sections.append(section("Network", lines))
    sections.append(section("DHCP", ["UseDomains=yes", "UseMTU=yes"] + (isDefault ? [] : ["UseRoutes=no"])))
    for network in own {
      for route in network.routes {
        let prefix = try Self.prefix(route.netmask, "networks.\(network.name).routes")
        sections.append(
          section(
            "Route",
            [
              "Destination=\(try word(route.destination, network, "routes"))/\(prefix)",
              "Gateway=\(try word(route.gateway, network, "routes"))",
            ]))
      }
    }
    return "# Written by drover-agent at every start.\n" + sections.joined(separator: "\n")
  }

  private static func section(_ name: String, _ lines: [String]) -> String {
    "[\(name)]\n" + lines.map { "\($0)\n" }.joined()
  }

  /// One word of address characters: it becomes part of a file that root's programs read.
  private static func word(_ text: String, _ network: NetworkSettings, _ member: String) throws -> String {
    guard DeleteARPEntriesAction.isAddress(text) else {
      throw DroverError(.invalid, "networks.\(network.name).\(member): '\(text.prefix(60))' is no address")
    }
    return text
  }

  private static func prefix(_ network: NetworkSettings) throws -> Int {
    if let prefix = Int(network.prefix), (0...128).contains(prefix) { return prefix }
    return try prefix(network.netmask, "networks.\(network.name)")
  }

  /// The length of a netmask, of IPv4 or IPv6.
  static func prefix(_ netmask: String, _ place: String) throws -> Int {
    func refuse() -> DroverError { DroverError(.invalid, "\(place).netmask: '\(netmask.prefix(60))' is no netmask") }
    var bits = ""
    if netmask.contains(":") {
      let groups = netmask.split(separator: ":").map { UInt16($0, radix: 16) }
      guard groups.allSatisfy({ $0 != nil }), groups.count <= 8 else { throw refuse() }
      for group in groups { bits += binary(Int(group ?? 0), 16) }
    } else {
      let parts = netmask.split(separator: ".").map { UInt8($0) }
      guard parts.count == 4, parts.allSatisfy({ $0 != nil }) else { throw refuse() }
      for part in parts { bits += binary(Int(part ?? 0), 8) }
    }
    let ones = bits.prefix { $0 == "1" }
    guard !bits[ones.endIndex...].contains("1") else { throw refuse() }
    return ones.count
  }

  private static func binary(_ number: Int, _ digits: Int) -> String {
    let text = String(number, radix: 2)
    return String(repeating: "0", count: digits - text.count) + text
  }
}

extension NetworkPlan {
  /// The steps to get there.
  ///
  /// - Parameter current: what files there are hold, by path; what is as it should be is not touched.
  func steps(current: [String: String], resolver: Resolver, restart: String) throws -> [MachineStep] {
    var steps = stale.map(MachineStep.remove)
    for (path, text) in files.sorted(by: { $0.key < $1.key }) where current[path] != text {
      steps.append(.write(path, text: text, mode: 0o644))
    }
    if !steps.isEmpty { steps.append(.runIfPresent(restart, mayFail: false)) }
    return steps + (try Self.resolverSteps(dns, resolver))
  }

  static func resolverSteps(_ dns: [String], _ resolver: Resolver) throws -> [MachineStep] {
    guard !dns.isEmpty else { return [] }
    if let wrong = dns.first(where: { !DeleteARPEntriesAction.isAddress($0) }) {
      throw DroverError(.invalid, "networks: dns: '\(wrong.prefix(60))' is no address")
    }
    let lines = "# Written by drover-agent at every start.\n" + dns.map { "nameserver \($0)\n" }.joined()
    switch resolver {
    case .plain: return [.write("/etc/resolv.conf", text: lines, mode: 0o644)]
    case .resolvconf:
      return [
        .write("/etc/resolvconf/resolv.conf.d/base", text: lines, mode: 0o644),
        // Without it the next start would have no resolver at all if the link's end has vanished.
        .write("/run/resolvconf/resolv.conf", text: lines, mode: 0o644),
        .link("/etc/resolv.conf", target: "/run/resolvconf/resolv.conf"), .run(["resolvconf", "-u"], mayFail: true),
      ]
    case .resolved:
      return [
        .write(
          "/etc/systemd/resolved.conf.d/10-bosh.conf", text: "[Resolve]\nDNS=\(dns.joined(separator: " "))\n",
          mode: 0o644),
        .run(["systemctl", "restart", "systemd-resolved"], mayFail: true),
      ]
    }
  }
}

extension NetworkSettings {
  struct Route: Sendable, Hashable {
    let destination: String
    let gateway: String
    let netmask: String
  }

  var routes: [Route] {
    (raw["routes"]?.array ?? []).map { route in
      Route(
        destination: route.member("destination")?.string ?? "", gateway: route.member("gateway")?.string ?? "",
        netmask: route.member("netmask")?.string ?? "")
    }
  }
}
