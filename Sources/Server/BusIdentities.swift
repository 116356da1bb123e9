import AgentProtocol
import Certificates
import Director
import Formats
import Messaging

/// Agents' identities on the bus: a certificate each, and the right to its own subjects (design D2).
struct BusIdentities: AgentIdentities {
  let host: BusHost

  func issue(_ agentID: String) async throws -> BusSettings {
    let identity = try await host.issuer.issue(.agent(agentID))
    try await host.agents?.addAgent(try .init(agentID: agentID))
    return BusSettings(
      urls: host.urls,
      certificate: .init(
        ca: host.caPEM, certificate: identity.certificatePEM, privateKey: identity.key.reveal()))
  }

  func withdraw(_ agentID: String) async throws { try await host.agents?.removeAgent(try .init(agentID: agentID)) }

  func restore(_ agentIDs: [String]) async throws {
    try await host.agents?.setAgents(try agentIDs.map { try .init(agentID: $0) })
  }
}
