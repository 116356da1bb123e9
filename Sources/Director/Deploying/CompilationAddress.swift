import Documents
import Formats
import Manifests

/// Addresses of compilation VMs, in the compilation network.
struct CompilationAddress: Sendable {
  let director: Director
  let site: CompilationSite

  /// Reserves the lowest free address; nil when the cloud picks one. Others may reserve at the same time: the document
  /// of an address is made once only.
  func reserve(_ agentID: String) async throws -> String? {
    guard case .manual(let subnets) = site.network.kind else { return nil }
    let records = director.records
    let taken = try await records.addresses.list(prefix: "\(site.network.name)/").map(\.body)
    if let mine = taken.first(where: { $0.holder == agentID }) { return mine.address }
    var excluded = site.takenAddresses.union(site.directorAddresses)
    for record in taken { excluded.insert(try IPAddress(record.address)) }
    for subnet in subnets where site.az == nil || subnet.isIn(site.az) {
      while let address = subnet.dynamicAddresses.lowest(excluding: excluded) {
        do {
          try await records.addresses.create(
            "\(site.network.name)/\(address)",
            AddressRecord(
              network: site.network.name, address: "\(address)", deployment: "", holder: agentID))
          return "\(address)"
        } catch where error.isDocumentExists {
          excluded.insert(address)
        }
      }
    }
    throw DirectorFailure(
      130011, "Failed to reserve an address for a compilation VM: network '\(site.network.name)' has none left")
  }
}

extension CompilationSite {
  /// The network's settings as the CPI and the agent get them (reference/director.md B.4).
  func networkSettings(address: String?) throws -> ValueObject {
    switch network.kind {
    case .manual(let subnets):
      let ip = try address.map { try IPAddress($0) }
      guard let ip, let subnet = subnets.first(where: { $0.range.contains(ip) }) else {
        throw DroverError(.invalid, "network '\(network.name)': no subnet has the address \(address ?? "none")")
      }
      return [
        "type": "manual", "ip": .string("\(ip)"), "prefix": .string(String(subnet.range.prefix)),
        "netmask": .string("\(subnet.range.netmask)"), "gateway": Value(subnet.gateway.map { "\($0)" }),
        "dns": Value(subnet.dns), "default": ["dns", "gateway"], "cloud_properties": .object(subnet.cloudProperties),
      ]
    case .dynamic(let subnets):
      let subnet = subnets.first { site in self.az == nil || site.isIn(self.az) }
      return [
        "type": "dynamic", "dns": Value(subnet?.dns ?? []), "default": ["dns", "gateway"],
        "cloud_properties": .object(subnet?.cloudProperties ?? [:]),
      ]
    case .vip:
      throw DroverError(.invalid, "compilation: network '\(network.name)' is a vip network; VMs need another one")
    }
  }
}
