import AgentProtocol
import Certificates
import Director
import Formats
import Messaging

/// Agents' identities on our nats-server: a certificate each, and the right to its own subjects (design D2).
struct BusIdentities: AgentIdentities {
  let authority: CertificateAuthority
  let server: NATSServer

  func issue(_ agentID: String) async throws -> BusSettings {
    let identity = try await authority.issue(.agent(agentID))
    try await server.addAgent(try .init(agentID: agentID))
    return BusSettings(
      urls: [server.url],
      certificate: .init(
        ca: identity.caPEM, certificate: identity.certificatePEM, privateKey: identity.key.reveal()))
  }

  func withdraw(_ agentID: String) async throws { try await server.removeAgent(try .init(agentID: agentID)) }

  func restore(_ agentIDs: [String]) async throws {
    try await server.setAgents(try agentIDs.map { try .init(agentID: $0) })
  }
}
