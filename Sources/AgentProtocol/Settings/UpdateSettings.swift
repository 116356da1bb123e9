public import Formats

/// The argument of `update_settings` and what an agent keeps of it in update_settings.json (reference/agent.md 4, 11).
public struct UpdateSettings: Sendable, Hashable {
  public struct DiskAssociation: Sendable, Hashable {
    public var name: String
    public var cid: String
    public init(name: String, cid: String) {
      self.name = name
      self.cid = cid
    }
  }

  /// PEM of the authorities that the VM's programs shall trust.
  public var trustedCertificates: String
  public var diskAssociations: [DiskAssociation]
  public var bus: BusSettings?
  public var blobstores: [BlobstoreSettings]

  public init(
    trustedCertificates: String = "", diskAssociations: [DiskAssociation] = [], bus: BusSettings? = nil,
    blobstores: [BlobstoreSettings] = []
  ) {
    self.trustedCertificates = trustedCertificates
    self.diskAssociations = diskAssociations
    self.bus = bus
    self.blobstores = blobstores
  }

  /// - Throws: ``DroverError`` with code `invalid`, naming the member.
  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "update_settings")
    trustedCertificates = try reader.optionalString("trusted_certs") ?? ""
    diskAssociations = try reader.readers("disk_associations").map {
      DiskAssociation(name: try $0.string("name"), cid: try $0.string("cid"))
    }
    bus = try reader.optionalReader("mbus").map(BusSettings.init)
    blobstores = try reader.readers("blobstores").map(BlobstoreSettings.init)
  }

  public var value: Value {
    [
      "blobstores": blobstores.isEmpty ? .null : .array(blobstores.map(\.value)),
      "disk_associations": .array(diskAssociations.map { ["name": .string($0.name), "cid": .string($0.cid)] }),
      "mbus": (bus ?? BusSettings(urls: [], certificate: .init(ca: "", certificate: "", privateKey: ""))).value,
      "trusted_certs": .string(trustedCertificates),
    ]
  }
}
