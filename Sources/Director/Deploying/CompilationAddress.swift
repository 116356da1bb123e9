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
    guard case .manual = site.network.kind else { return nil }
    let records = director.records
    let taken = try await records.addresses.list(prefix: "\(site.network.name)/").map(\.body)
    if let mine = taken.first(where: { $0.holder == agentID }) { return mine.address }
    var excluded = Set(try taken.map { try IPAddress($0.address) })
    while let address = site.nextAddress(excluding: excluded) {
      do {
        try await records.addresses.create(
          "\(site.network.name)/\(address)",
          AddressRecord(network: site.network.name, address: "\(address)", deployment: "", holder: agentID))
        return "\(address)"
      } catch  where error.isDocumentExists {
        excluded.insert(address)
      }
    }
    throw DirectorFailure(
      130011, "Failed to reserve an address for a compilation VM: network '\(site.network.name)' has none left")
  }
}
