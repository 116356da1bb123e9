import AgentProtocol
import Formats

/// Forgets how to find a persistent disk; one that is not known is fine.
struct RemovePersistentDiskAction: AgentAction {
  let disks: PersistentDisks
  let method = AgentMethod.removePersistentDisk
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    try await disks.remove(call.string(0, "disk cid"))
    return [:]
  }
}
