import AgentProtocol
import Formats
import Logging
import Messaging

/// Tells the health monitor things (reference/agent.md 15). What cannot be sent is said in the log and not tried again.
struct HealthPublisher: Sendable {
  let agentID: String
  let bus: any MessageBus
  let logger: Logger

  func beat(_ heartbeat: Heartbeat) async { await publish(AgentSubjects.heartbeat(agentID: agentID), heartbeat.value) }
  func raise(_ alert: Alert) async { await publish(AgentSubjects.alert(agentID: agentID), alert.value) }
  func announceShutdown() async { await publish(AgentSubjects.shutdown(agentID: agentID), .null) }

  private func publish(_ subject: String, _ value: Value) async {
    do {
      try await bus.publish(subject, JSON.bytes(value))
    } catch {
      logger.warning("cannot publish", metadata: ["subject": "\(subject)", "error": "\(error)"])
    }
  }
}
