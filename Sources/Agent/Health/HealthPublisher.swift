import AgentProtocol
import Formats
import Logging
import Messaging
import Synchronization

/// Tells the health monitor things (reference/agent.md 15). What cannot be sent is said in the log and not tried again.
struct HealthPublisher: Sendable {
  let agentID: String
  let bus: any MessageBus
  let logger: Logger
  /// Without a bus nothing is sent, and the log does not say that it was.
  private let hasBus: Bool

  private let confirmation = Confirmation()

  init(agentID: String, bus: any MessageBus, logger: Logger) {
    self.agentID = agentID
    self.bus = bus
    self.logger = logger
    hasBus = !(bus is SilentBus)
  }

  /// Says in the log that it was sent, and, once the bus has it, that it was delivered (slide 9).
  func beat(_ heartbeat: Heartbeat) async {
    guard hasBus, await publish(AgentSubjects.heartbeat(agentID: agentID), heartbeat.value) else { return }
    logger.info("Heartbeat sent")
    guard confirmation.begin() else { return }
    // Beside the loop: without a connection this waits until there is one.
    Task {
      if (try? await bus.flush()) != nil { logger.debug("Heartbeat delivered") }
      confirmation.end()
    }
  }
  func raise(_ alert: Alert) async { await publish(AgentSubjects.alert(agentID: agentID), alert.value) }
  func announceShutdown() async { await publish(AgentSubjects.shutdown(agentID: agentID), .null) }

  @discardableResult
  private func publish(_ subject: String, _ value: Value) async -> Bool {
    do {
      try await bus.publish(subject, JSON.bytes(value))
      return true
    } catch {
      logger.warning("cannot publish", metadata: ["subject": "\(subject)", "error": "\(error)"])
      return false
    }
  }

  /// One is waited for at a time.
  private final class Confirmation: Sendable {
    private let isWaiting = Atomic(false)

    func begin() -> Bool { isWaiting.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged }
    func end() { isWaiting.store(false, ordering: .relaxed) }
  }
}
