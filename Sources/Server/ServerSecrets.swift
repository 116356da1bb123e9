import Documents
import Formats
import Surroundings

/// What a server makes up once and keeps for ever. Kind `server`, named `secrets`.
struct ServerSecrets: Codable, Sendable {
  /// The director's UUID.
  var directorID: String
  /// Signs the addresses of blobs; base64.
  var blobKey: String

  var blobSecret: [UInt8] { Base64.decode(blobKey) ?? [] }

  static func load(from store: any DocumentStore, _ surroundings: Surroundings) async throws -> ServerSecrets {
    let documents = DocumentCollection<ServerSecrets>(
      store, kind: "server", sealing: [SealedField("blobKey", \.blobKey)])
    // One that was made before there were keys is sealed by this.
    if try await documents.get("secrets") != nil { return try await documents.update("secrets") { _ in }.body }
    let new = ServerSecrets(
      directorID: surroundings.identifier(), blobKey: Base64.encode(surroundings.randomBytes(32)))
    try await documents.create("secrets", new)
    return new
  }
}
