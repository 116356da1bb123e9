import AgentProtocol
import Formats

/// Makes the VM hold what a spec says, and keeps the spec (reference/agent.md 10).
struct ApplyAction: AgentAction {
  let applier: Applier
  let specs: SpecStore
  let settings: SettingsStore
  let layout: VMLayout
  let ownership: Ownership
  let method = AgentMethod.apply
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    let wanted = try call.reading { try ApplySpec(call.arguments[0]) }
    let spec = try SpecNetworks.resolve(wanted, await settings.current.document.networks)
    if !spec.configurationHash.isEmpty { try await applier.apply(spec) }
    try await specs.keep(spec)
    try ownership.folder(layout.instance, 0o755)
    for (name, text) in [
      ("id", spec.id), ("az", spec.az), ("name", spec.name), ("deployment", spec.deployment),
    ] {
      try ownership.file("\(layout.instance)/\(name)", Array(text.utf8), 0o644)
    }
    return "applied"
  }
}
