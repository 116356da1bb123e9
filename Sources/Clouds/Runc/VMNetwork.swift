import Digests
import Formats

/// One network interface of a VM, as planned from its network settings.
struct VMNetwork: Sendable, Hashable, Codable {
  /// The network's name in the manifest.
  var name: String
  /// Inside the VM: `eth0`, …
  var interface: String
  /// The end of the veth pair on the host.
  var hostInterface: String
  var mac: String
  var address: String
  var prefix: Int
  var gateway: String?
  /// Whether the default route goes through here.
  var isDefaultGateway: Bool
  var dns: [String]
  /// Further routes: destination in CIDR form and gateway.
  var routes: [Route]
  var bridge: Bridge

  struct Route: Sendable, Hashable, Codable {
    var destination: String
    var gateway: String
  }

  /// The bridge on the host that connects the VMs of a network; the host has the gateway's address on it.
  struct Bridge: Sendable, Hashable, Codable {
    var name: String
    /// In CIDR form.
    var subnet: String
    /// Gateway and prefix, such as `10.244.0.1/24`; nil when the network has no gateway.
    var address: String?
    /// Whether what leaves the subnet does so with the host's address.
    var masquerade: Bool
    /// Its hardware address, which VMs know their gateway by.
    var mac: String { VMNetwork.mac("bridge/\(name)") }
  }
}

extension VMNetwork {
  /// The interfaces of a VM, in the order of its networks.
  /// - Parameters:
  ///   - server: the name of the server; names on the host derive from it.
  ///   - settings: network settings by name (reference/director.md B.4).
  /// - Throws: ``CloudError`` that names the network and the setting.
  static func plan(server: String, vm: String, settings: ValueObject) throws -> [VMNetwork] {
    let connected = settings.filter { $0.value["type"]?.string != "vip" }
    return try connected.enumerated().map { index, element in
      do {
        return try VMNetwork(
          server: server, vm: vm, index: index, isOnly: connected.count == 1, name: element.key,
          settings: FieldReader(element.value, at: "networks.\(element.key)"))
      } catch let error as DroverError {
        throw CloudError(.networkNotFound, error.description)
      }
    }
  }

  private init(
    server: String, vm: String, index: Int, isOnly: Bool, name: String, settings: FieldReader
  ) throws {
    let type = try settings.optionalString("type") ?? "manual"
    guard type == "manual" else {
      throw settings.error("type", "is \(type); the runc cloud has manual networks (and ignores vip)")
    }
    let ip = try Self.address(settings, "ip", try settings.string("ip"))
    let prefix = try Self.prefix(settings)
    let gateway = try settings.optionalString("gateway").map { try Self.address(settings, "gateway", $0) }
    let subnet = "\(ip.network(prefix))/\(prefix)"
    if let gateway, gateway.network(prefix) != ip.network(prefix) {
      throw settings.error("gateway", "\(gateway) is not in \(subnet)")
    }
    if gateway == ip { throw settings.error("ip", "\(ip) is the gateway's address, which the host has") }
    let uses = settings.value("default")?.array?.compactMap(\.string) ?? []
    self.name = name
    interface = "eth\(index)"
    hostInterface = "drv-" + Self.digest("\(server)/\(vm)/\(index)", 10)
    mac = Self.mac("\(server)/\(vm)/\(name)/\(ip)")
    address = ip.description
    self.prefix = prefix
    self.gateway = gateway?.description
    isDefaultGateway = gateway != nil && (isOnly || uses.contains("gateway"))
    dns = isOnly || uses.contains("dns") ? settings.value("dns")?.array?.compactMap(\.string) ?? [] : []
    routes = try Self.routes(settings)
    bridge = Bridge(
      name: "drb-" + Self.digest("\(server)/\(subnet)", 10), subnet: subnet,
      address: gateway.map { "\($0)/\(prefix)" },
      masquerade: settings.value("cloud_properties")?["masquerade"]?.bool ?? false)
  }

  private static func address(_ settings: FieldReader, _ field: String, _ text: String) throws -> IPv4 {
    guard let address = IPv4(text) else { throw settings.error(field, "expected an IPv4 address, found \(text)") }
    return address
  }

  private static func prefix(_ settings: FieldReader) throws -> Int {
    if let netmask = try settings.optionalString("netmask") {
      guard let prefix = IPv4.prefix(ofNetmask: netmask), prefix > 0 else {
        throw settings.error("netmask", "expected a netmask such as 255.255.255.0, found \(netmask)")
      }
      return prefix
    }
    // With `netmask` absent, `prefix` is the subnet's; beside one it may say how much of it the VM gets.
    guard let text = settings.value("prefix").flatMap({ $0.string ?? $0.int.map(String.init) }),
      let prefix = Int(text), (1...32).contains(prefix)
    else { throw settings.error("netmask", "missing; expected a netmask such as 255.255.255.0") }
    return prefix
  }

  private static func routes(_ settings: FieldReader) throws -> [Route] {
    try (settings.value("routes")?.array ?? []).enumerated().map { index, value in
      let route = try FieldReader(value, at: settings.place("routes[\(index)]"))
      func text(_ name: String) throws -> String {
        try route.optionalString(name.lowercased()) ?? route.string(name)
      }
      let destination = try address(route, "Destination", try text("Destination"))
      let netmask = try text("Netmask")
      guard let prefix = IPv4.prefix(ofNetmask: netmask) else {
        throw route.error("Netmask", "expected a netmask, found \(netmask)")
      }
      let gateway = try address(route, "Gateway", try text("Gateway"))
      return Route(destination: "\(destination)/\(prefix)", gateway: gateway.description)
    }
  }

  private static func digest(_ text: String, _ length: Int) -> String {
    String(DigestHasher.hex(.sha256, text).prefix(length))
  }

  /// A unicast, locally administered address that depends on the text alone.
  static func mac(_ text: String) -> String {
    let hex = Array(digest(text, 10))
    return "02:" + stride(from: 0, to: 10, by: 2).map { String(hex[$0...$0 + 1]) }.joined(separator: ":")
  }
}
