import AgentProtocol
import Files
import Formats
import Surroundings

/// Puts logs to a signed URL, or answers with them when they are short and that was asked for.
struct FetchLogsWithSignedURLAction: AgentAction {
  let collector: LogCollector
  let blobs: AgentBlobs
  let method = AgentMethod.fetchLogsWithSignedURL
  let traits = ActionTraits(isAsynchronous: true, isReading: true)

  func run(_ call: TaskCall) async throws -> Value {
    let request = try call.reading { try LogRequest(call.arguments[0]) }
    let archive = try await blocking { try collector.collect(request) }
    defer { try? Files.remove(archive) }
    if let result = try LogCollector.short(archive, request) { return result.value }
    let digest = try await blobs.put(archive, to: request.uploadURL, headers: request.blobstoreHeaders)
    return LogResult(blobstoreID: nil, sha1: digest).value
  }
}
