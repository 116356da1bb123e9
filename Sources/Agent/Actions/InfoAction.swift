import AgentProtocol
import Formats

/// Says which actions' newer forms the agent knows.
struct InfoAction: AgentAction {
  let method = AgentMethod.info
  let traits = ActionTraits(isImmediate: true)

  func run(_ call: TaskCall) async throws -> Value { ["api_version": .int(AgentLimits.apiVersion)] }
}
