import Formats
import Messaging

/// The bus of an agent that has none: nobody hears its heartbeats and alerts (reference/agent.md 6, HTTPS).
struct SilentBus: MessageBus {
  func publish(_ subject: String, _ payload: [UInt8], reply: String?) async throws {}

  func subscribe(_ subject: String, queue: String?) async throws -> MessageSubscription {
    throw DroverError(.unsupported, "subscribing to \(subject): this agent has no bus")
  }
}
