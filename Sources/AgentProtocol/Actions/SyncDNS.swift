public import Formats

/// Which DNS records an agent shall have: the arguments of `sync_dns` and `sync_dns_with_signed_url`.
public struct SyncDNSRequest: Sendable, Hashable {
  public var blobstoreID: String
  public var signedURL: String
  /// A multi-digest.
  public var digest: String
  public var version: Int
  public var blobstoreHeaders: [String: String]

  public init(
    blobstoreID: String = "", signedURL: String = "", digest: String, version: Int,
    blobstoreHeaders: [String: String] = [:]
  ) {
    self.blobstoreID = blobstoreID
    self.signedURL = signedURL
    self.digest = digest
    self.version = version
    self.blobstoreHeaders = blobstoreHeaders
  }

  /// The positional arguments of `sync_dns`.
  public init(arguments: [Value]) throws {
    guard arguments.count >= 3 else {
      throw DroverError(.invalid, AgentTexts.notEnoughArguments(expected: 3, got: arguments.count))
    }
    let reader = try FieldReader(
      ["blob_id": arguments[0], "digest": arguments[1], "version": arguments[2]], at: "sync_dns")
    self.init(
      blobstoreID: try reader.string("blob_id"), digest: try reader.string("digest"),
      version: try Self.version(reader))
  }

  /// The argument of `sync_dns_with_signed_url`.
  public init(signed value: Value) throws {
    let reader = try FieldReader(value, at: "sync_dns_with_signed_url")
    self.init(
      signedURL: try reader.string("signed_url"), digest: try reader.string("multi_digest"),
      version: try Self.version(reader), blobstoreHeaders: try reader.stringMap("blobstore_headers"))
  }

  private static func version(_ reader: FieldReader) throws -> Int {
    let version = try reader.int("version")
    guard version >= 0 else { throw reader.error("version", "expected 0 or more, found \(version)") }
    return version
  }

  public var arguments: [Value] { [.string(blobstoreID), .string(digest), .int(version)] }

  public var signedArgument: Value {
    [
      "signed_url": .string(signedURL), "multi_digest": .string(digest), "version": .int(version),
      "blobstore_headers": Value(blobstoreHeaders),
    ]
  }
}
