import AgentProtocol
import Files
import Formats
import Surroundings

/// Puts logs into the blobstore (reference/agent.md 11).
struct FetchLogsAction: AgentAction {
  let collector: LogCollector
  let blobs: AgentBlobs
  let method = AgentMethod.fetchLogs
  let traits = ActionTraits(isAsynchronous: true, isReading: true)

  func run(_ call: TaskCall) async throws -> Value {
    let request = try call.reading { try LogRequest(arguments: call.arguments) }
    let archive = try await blocking { try collector.collect(request) }
    defer { try? Files.remove(archive) }
    let (id, sha1) = try await blobs.create(archive)
    return LogResult(blobstoreID: id, sha1: sha1).value
  }
}
