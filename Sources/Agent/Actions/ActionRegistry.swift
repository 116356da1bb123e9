import AgentProtocol

/// The actions by the name of their method.
struct ActionRegistry: Sendable {
  private let actions: [String: any AgentAction]

  init(_ actions: [any AgentAction]) {
    self.actions = Dictionary(
      actions.map { ($0.method.rawValue, $0) }, uniquingKeysWith: { first, _ in first })
  }

  subscript(method: String) -> (any AgentAction)? { actions[method] }
  var methods: Set<String> { Set(actions.keys) }
}
