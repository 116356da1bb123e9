import AgentProtocol
import Formats
import Logging

/// Requests of old directors about a VM's network, which on our VMs is the cloud's: accepted, and nothing is done.
struct NetworkChangeAction: AgentAction {
  let method: AgentMethod
  let logger: Logger
  let traits = ActionTraits(isImmediate: true)

  func run(_ call: TaskCall) async throws -> Value {
    logger.info("left to the cloud: the network", metadata: ["method": "\(method.rawValue)"])
    return "ok"
  }
}
