public import Formats

/// Which blobstore an agent uses.
public struct BlobstoreSettings: Sendable, Hashable {
  /// `dav`, `local`, `dummy`, or the name of an external client.
  public var provider: String
  public var options: ValueObject

  public init(provider: String, options: ValueObject = [:]) {
    self.provider = provider
    self.options = options
  }

  public init(_ reader: FieldReader) throws {
    provider = try reader.optionalString("provider") ?? ""
    options = try reader.optionalObject("options") ?? [:]
  }

  /// PEM of the authority that signs the blobstore's certificate (`options.tls.cert.ca`); nil when not given.
  public var ca: String? {
    guard let ca = options["tls"]?["cert"]?["ca"]?.string, !ca.isEmpty else { return nil }
    return ca
  }

  public var value: Value { ["provider": .string(provider), "options": .object(options)] }
}
