public import Formats

/// The argument of `upload_blob`: a blob for the agent's own sensitive blobs, never logged.
public struct UploadBlobRequest: Sendable, Hashable {
  public var blobID: String
  /// A multi-digest of the decoded payload.
  public var checksum: String
  /// Base64.
  public var payload: String

  public init(blobID: String, checksum: String, payload: String) {
    self.blobID = blobID
    self.checksum = checksum
    self.payload = payload
  }

  public init(_ value: Value) throws {
    let reader = try FieldReader(value, at: "upload_blob")
    self.init(
      blobID: try reader.string("blob_id"), checksum: try reader.string("checksum"),
      payload: try reader.string("payload"))
  }

  public var value: Value {
    ["blob_id": .string(blobID), "checksum": .string(checksum), "payload": .string(payload)]
  }
}
