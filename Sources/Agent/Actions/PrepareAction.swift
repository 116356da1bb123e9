import AgentProtocol
import Formats

/// Fetches and unpacks what a spec needs, beside what runs now.
struct PrepareAction: AgentAction {
  let applier: Applier
  let method = AgentMethod.prepare
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    try await applier.prepare(call.reading { try ApplySpec(call.arguments[0]) })
    return "prepared"
  }
}
