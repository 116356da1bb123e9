import AgentProtocol
import Formats

/// Takes the director's DNS records by a signed URL.
struct SyncDNSWithSignedURLAction: AgentAction {
  let dns: DNSRecords
  let method = AgentMethod.syncDNSWithSignedURL
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    try await dns.sync(call.reading { try SyncDNSRequest(signed: call.arguments[0]) })
    return "synced"
  }
}
