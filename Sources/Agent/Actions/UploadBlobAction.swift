import AgentProtocol
import Digests
import Formats

/// Keeps a blob that came in the message itself (reference/agent.md 11). Never logged.
struct UploadBlobAction: AgentAction {
  let blobs: AgentBlobs
  let method = AgentMethod.uploadBlob
  let traits = ActionTraits(isAsynchronous: true, isLoggable: false)

  func run(_ call: TaskCall) async throws -> Value {
    let request = try call.reading { try UploadBlobRequest(call.arguments[0]) }
    guard let bytes = Base64.decode(request.payload) else {
      throw DroverError(.invalid, "upload_blob: the payload is not base64")
    }
    do {
      try MultiDigest(request.checksum).verify(bytes: bytes)
    } catch {
      throw DroverError(
        .corrupt, "Payload corrupted. Checksum mismatch. Expected '\(request.checksum.prefix(300))'", cause: error)
    }
    try blobs.keepSensitive(request.blobID, bytes)
    return .string(request.blobID)
  }
}
