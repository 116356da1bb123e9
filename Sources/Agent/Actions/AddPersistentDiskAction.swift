import AgentProtocol
import Formats

/// Remembers how to find a persistent disk that was attached.
struct AddPersistentDiskAction: AgentAction {
  let disks: PersistentDisks
  let method = AgentMethod.addPersistentDisk
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    try await disks.add(call.string(0, "disk cid"), DiskHint(call.arguments[1]))
    return [:]
  }
}
