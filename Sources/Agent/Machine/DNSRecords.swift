import AgentProtocol
import Files
import Formats
import Processes

/// The records of all instances: kept for resolvers in instance/dns/records.json, and as names in /etc/hosts.
actor DNSRecords {
  private let layout: VMLayout
  private let ownership: Ownership
  private let blobs: AgentBlobs
  private let system: SystemFiles
  private let settings: SettingsStore

  init(layout: VMLayout, ownership: Ownership, blobs: AgentBlobs, system: SystemFiles, settings: SettingsStore) {
    self.layout = layout
    self.ownership = ownership
    self.blobs = blobs
    self.system = system
    self.settings = settings
  }

  /// Does nothing when the records there are as new as those asked for.
  func sync(_ request: SyncDNSRequest) async throws {
    if let version = try? Self.version(JSON.parse(Files.read(layout.dnsRecords))), version >= request.version { return }
    let source = AgentBlobs.Source(
      blobstoreID: request.blobstoreID, signedURL: request.signedURL, headers: request.blobstoreHeaders)
    let path = try await blobs.fetch(source, digest: request.digest)
    defer { try? Files.remove(path) }
    let bytes = try Files.read(path)
    let document = try JSON.parse(bytes)
    guard try Self.version(document) == request.version else {
      throw DroverError(.invalid, "version from unpacked dns blob does not match version supplied by director")
    }
    let records = try Self.records(document)
    try await system.writeHosts(hostName: settings.current.agentID, records: records)
    try ownership.folder("\(layout.instance)/dns", 0o755)
    try ownership.file(layout.dnsRecords, bytes, 0o640, vcap: true)
  }

  static func version(_ document: Value) throws -> Int {
    guard let version = member("version", document)?.int else {
      throw DroverError(.invalid, "dns records: version: missing; expected an integer")
    }
    return version
  }

  /// Addresses and names, each of which must be one word, since they become lines of /etc/hosts.
  static func records(_ document: Value) throws -> [(ip: String, name: String)] {
    guard let records = (member("records", document) ?? []).array else {
      throw DroverError(.invalid, "dns records: records: expected an array")
    }
    return try records.enumerated().map { index, record in
      guard let ip = record[0]?.string, let name = record[1]?.string, isWord(ip), isWord(name) else {
        throw DroverError(.invalid, "dns records: records[\(index)]: expected an address and a name")
      }
      return (ip, name)
    }
  }

  private static func member(_ name: String, _ document: Value) -> Value? {
    document[name] ?? document.object?.first { $0.key.lowercased() == name }?.value
  }

  private static func isWord(_ text: String) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "#") }
  }
}
