import AgentProtocol
import Formats

/// Says that the agent is there.
struct PingAction: AgentAction {
  let method = AgentMethod.ping
  let traits = ActionTraits(isImmediate: true)

  func run(_ call: TaskCall) async throws -> Value { "pong" }
}
