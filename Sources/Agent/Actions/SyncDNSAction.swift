import AgentProtocol
import Formats

/// Takes the director's DNS records from the blobstore (reference/agent.md 11).
struct SyncDNSAction: AgentAction {
  let dns: DNSRecords
  let method = AgentMethod.syncDNS
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    try await dns.sync(call.reading { try SyncDNSRequest(arguments: call.arguments) })
    return "synced"
  }
}
