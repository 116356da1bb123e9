import AgentProtocol
import Blobs
import Digests

/// Archives of logs as agents send them: a short one comes with the answer, a longer one by way of a signed URL.
struct LogArchives: Sendable {
  let director: Director

  /// What is asked of an agent when an errand has ended.
  static let ofJobs = LogRequest(types: "job", archiveLimit: AgentLimits.maximumArchiveBytes)

  /// Has an agent pack logs, and puts the archive among the blobs, under the identity's UUID.
  func fetch(_ request: LogRequest, from agent: AgentClient, _ identity: RequestIdentity) async throws -> LogResult {
    let engines = director.engines
    var request = request
    request.uploadURL = try engines.blobAddresses.put(identity.uuid)
    request.archiveLimit = AgentLimits.maximumArchiveBytes
    return try await keep(
      LogResult(await agent.perform(.fetchLogsWithSignedURL, [request.signedArgument], identity: identity)), identity)
  }

  /// Puts the archive that an agent has answered with, if it has, among the blobs.
  func keep(_ result: LogResult, _ identity: RequestIdentity) async throws -> LogResult {
    let engines = director.engines
    var result = result
    if let archive = result.archive {
      try MultiDigest(result.sha1).verify(bytes: archive)
      _ = try await engines.blobs.put(bytes: archive, id: identity.uuid)
    }
    result.archive = nil
    result.blobstoreID = identity.uuid
    return result
  }
}
