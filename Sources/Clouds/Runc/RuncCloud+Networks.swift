import Files
import Formats
import FoundationEssentials
import Glibc
import Processes

/// Bridges, veth pairs, masquerading and the server's own address.
extension RuncCloud {
  /// What this server has made on the host, kept as `networks.json`, written before it is made.
  struct HostNetworks: Sendable, Hashable, Codable {
    var bridges: [VMNetwork.Bridge] = []
    /// Addresses added to the loopback interface.
    var endpoints: [String] = []
    /// The value of net.ipv4.ip_forward before this server changed it.
    var forwardingBefore: String?
    /// The boot of the host in which all of it was made; in another one it has to be made again.
    var bootID = ""
  }

  static let forwardingPath = "/proc/sys/net/ipv4/ip_forward"
  var networksPath: String { "\(directory)/networks.json" }

  func hostNetworks() throws -> HostNetworks {
    guard let bytes = try Files.bytes(networksPath) else { return HostNetworks() }
    return try JSONDecoder().decode(HostNetworks.self, from: Data(bytes))
  }

  func write(_ networks: HostNetworks) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    try Files.replace(networksPath, with: Array(try encoder.encode(networks)))
  }

  /// Makes the bridges that these networks need, unless they are there.
  func ensureNetworks(_ networks: [VMNetwork]) async throws {
    guard !networks.isEmpty else { return }
    if try isReady(networks, hostNetworks()) { return }
    try await locked(.networks) {
      var host = try hostNetworks()
      if isReady(networks, host) { return }
      for bridge in networks.map(\.bridge) {
        try await refuseForeignSubnet(bridge)
        host.bridges.removeAll { $0.name == bridge.name }
        host.bridges.append(bridge)
      }
      host.bootID = ""
      try write(host)
      try await makeNetworks(&host)
    }
  }

  private func isReady(_ networks: [VMNetwork], _ host: HostNetworks) -> Bool {
    host.bootID == ProcessIdentity.currentBootID
      && networks.allSatisfy {
        host.bridges.contains($0.bridge) && Files.isVisible("/sys/class/net/\($0.bridge.name)")
      }
  }

  /// Makes everything in the record that is not there. To be called with the lock of the networks.
  func makeNetworks(_ host: inout HostNetworks) async throws {
    var lines: [String] = []
    for bridge in host.bridges {
      lines += NetworkCommands.bridge(
        bridge, server: configuration.name, exists: Files.isVisible("/sys/class/net/\(bridge.name)"))
    }
    for endpoint in host.endpoints {
      lines.append("address replace \(endpoint) dev lo label \(NetworkCommands.endpointLabel(configuration.name))")
    }
    try await ip(lines)
    let masquerades = host.bridges.contains(where: \.masquerade)
    if masquerades {
      let now = (Files.textIfPresent(Self.forwardingPath) ?? "").filter { !$0.isWhitespace }
      if now == "0" {
        host.forwardingBefore = now
        try write(host)
        try Self.setForwarding("1")
      }
      try await nft(NetworkCommands.table(server: configuration.name, bridges: host.bridges))
    }
    host.bootID = ProcessIdentity.currentBootID
    try write(host)
  }

  /// Connects a VM that was created and not started yet.
  func connect(_ record: VMRecord, pid: Int) async throws {
    for network in record.networks where Files.isVisible("/sys/class/net/\(network.hostInterface)") {
      // Left by a container that ended without the kernel having removed its namespace yet.
      try await ip(["link delete dev \(network.hostInterface)"])
    }
    try await ip(
      record.networks.flatMap {
        NetworkCommands.host($0, server: configuration.name, vm: record.id, pid: pid)
      })
    try await ip(NetworkCommands.guest(record.networks), in: pid)
  }

  /// Runs a batch of `ip` commands, on the host or in the network namespace of a process.
  func ip(_ lines: [String], in pid: Int? = nil) async throws {
    guard !lines.isEmpty else { return }
    let enter = pid.map { ["nsenter", "--target", String($0), "--net"] } ?? []
    var command = Command(enter + ["ip", "-batch", "-"])
    command.input = Array((lines.joined(separator: "\n") + "\n").utf8)
    let result = try await command.result()
    guard !result.succeeded else { return }
    throw DroverError(.failed, "configuring the network with ip (\(lines.joined(separator: "; "))): \(said(result))")
  }

  private func nft(_ script: String) async throws {
    var command = Command("nft", "-f", "-")
    command.input = Array(script.utf8)
    let result = try await command.result()
    guard !result.succeeded else { return }
    throw DroverError(
      .failed, "setting the nftables rules of \(NetworkCommands.tableName(configuration.name)): \(said(result))")
  }

  private func said(_ result: CommandResult) -> String {
    let lines = result.lastErrorLines()
    return lines.isEmpty ? "\(result.ending)" : lines
  }

  /// Two servers can't have the same subnet: the host would not know which bridge an address is on.
  private func refuseForeignSubnet(_ bridge: VMNetwork.Bridge) async throws {
    guard let address = bridge.address?.split(separator: "/").first else { return }
    let listed = try await JSON.parse(Command("ip", "-json", "address", "show").run().output)
    for link in listed.array ?? [] {
      guard let name = link["ifname"]?.string, name != bridge.name else { continue }
      for entry in link["addr_info"]?.array ?? [] where entry["local"]?.string == String(address) {
        throw CloudError(
          .networkNotFound,
          "network \(bridge.subnet): its gateway \(address) is an address of the interface \(name) of this host already; "
            + "give this network another range")
      }
    }
  }

  static func setForwarding(_ value: String) throws {
    try OpenFile(writing: forwardingPath, mode: nil).write(Array(value.utf8))
  }

  /// Adds the address at which VMs reach this server to the loopback interface. Repeating it changes nothing.
  ///
  /// - Parameter address: with its prefix length, such as `10.254.0.1/32`; /32 when there is none.
  public func ensureHostEndpoint(_ address: String) async throws {
    try checkConfiguration()
    let address = address.contains("/") ? address : address + "/32"
    guard IPv4(String(address.prefix { $0 != "/" })) != nil else {
      throw DroverError(.invalid, "the host endpoint: expected an IPv4 address, found \(address)")
    }
    try await locked(.networks) {
      var host = try hostNetworks()
      if try await hasAddress(address) { return }
      if !host.endpoints.contains(address) {
        host.endpoints.append(address)
        try write(host)
      }
      try await makeNetworks(&host)
    }
  }

  private func hasAddress(_ address: String) async throws -> Bool {
    let listed = try await JSON.parse(Command("ip", "-json", "address", "show", "dev", "lo").run().output)
    return (listed[0]?["addr_info"]?.array ?? []).contains { entry in
      guard let local = entry["local"]?.string, let prefix = entry["prefixlen"]?.int else { return false }
      return "\(local)/\(prefix)" == address
    }
  }

  /// Removes veth pairs of this server whose VM is not among these.
  func removeStrayInterfaces(keeping vms: Set<String>) async throws {
    let listed = try await JSON.parse(Command("ip", "-json", "link", "show").run().output)
    let prefix = NetworkCommands.alias(configuration.name, "")
    let strays = (listed.array ?? []).compactMap { link -> String? in
      guard let name = link["ifname"]?.string, name.hasPrefix("drv-"),
        let alias = link["ifalias"]?.string, alias.hasPrefix(prefix),
        !vms.contains(String(alias.dropFirst(prefix.count)))
      else { return nil }
      return name
    }
    try await ip(strays.map { "link delete dev \($0)" })
  }

  /// Removes all that this server made on the host's network.
  func removeNetworks() async throws {
    try await removeStrayInterfaces(keeping: [])
    try await locked(.networks) {
      let host = try hostNetworks()
      let bridges = host.bridges.map(\.name).filter { Files.isVisible("/sys/class/net/\($0)") }
      try await ip(bridges.map { "link delete dev \($0)" })
      for endpoint in host.endpoints where try await hasAddress(endpoint) {
        try await ip(["address delete \(endpoint) dev lo"])
      }
      if host.bridges.contains(where: \.masquerade) {
        try await nft(NetworkCommands.table(server: configuration.name, bridges: []))
        if let before = host.forwardingBefore, try await !othersForward() { try Self.setForwarding(before) }
      }
      try Files.remove(networksPath)
    }
  }

  /// Whether another server on this host still needs forwarding.
  private func othersForward() async throws -> Bool {
    try await Command("nft", "list", "tables").run().text.contains("table ip drover_")
  }
}
