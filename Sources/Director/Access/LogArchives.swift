import AgentProtocol
import Blobs
import Digests
import Surroundings

/// Archives of logs as agents send them: a short one comes with the answer, a longer one by way of a signed URL.
struct LogArchives: Sendable {
  let director: Director

  /// What is asked of an agent when an errand has ended.
  static let ofJobs = LogRequest(types: "job", archiveLimit: AgentLimits.maximumArchiveBytes)

  /// Has an agent pack logs, and puts the archive among the blobs, under the identity's UUID.
  func fetch(_ request: LogRequest, from agent: AgentClient, _ identity: RequestIdentity) async throws -> LogResult {
    try await keep(try await ask(request, agent, identity), identity)
  }

  /// The logs of an errand that has ended, kept for who will ask for them; those that another has left just the same are
  /// kept once.
  ///
  /// - Parameter arrived: what came with the last of its output; nil to ask the agent.
  func ofErrand(_ arrived: LogResult?, from agent: AgentClient, _ identity: RequestIdentity) async throws -> LogResult {
    let result = if let arrived { arrived } else { try await ask(Self.ofJobs, agent, identity) }
    let bundles = LogBundles(director: director)
    guard let archive = result.archive, archive.count <= RecentArchives.longest else {
      let kept = try await keep(result, identity)
      try await bundles.keep(identity.uuid)
      return kept
    }
    let (engines, recent) = (director.engines, director.recentArchives)
    let now = engines.surroundings.now().seconds
    let digest = DigestHasher.hex(.sha256, archive)
    // Who may delete blobs may have deleted it.
    if let blobID = recent.blobID(of: digest, now: now), try await engines.blobs.exists(blobID) {
      try MultiDigest(result.sha1).verify(bytes: archive)
      return LogResult(blobstoreID: blobID, sha1: result.sha1)
    }
    let kept = try await keep(result, identity)
    try await bundles.keep(identity.uuid)
    recent.note(digest, identity.uuid, since: now)
    return kept
  }

  private func ask(_ request: LogRequest, _ agent: AgentClient, _ identity: RequestIdentity) async throws -> LogResult {
    var request = request
    request.uploadURL = try director.engines.blobAddresses.put(identity.uuid)
    request.archiveLimit = AgentLimits.maximumArchiveBytes
    return try LogResult(
      await agent.perform(.fetchLogsWithSignedURL, [request.signedArgument], identity: identity))
  }

  /// Puts the archive that an agent has answered with, if it has, among the blobs.
  private func keep(_ result: LogResult, _ identity: RequestIdentity) async throws -> LogResult {
    if let archive = result.archive {
      try MultiDigest(result.sha1).verify(bytes: archive)
      _ = try await director.engines.blobs.put(bytes: archive, id: identity.uuid)
    }
    return LogResult(blobstoreID: identity.uuid, sha1: result.sha1)
  }
}
