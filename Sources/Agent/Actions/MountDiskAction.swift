import AgentProtocol
import Formats

/// Mounts a persistent disk on the store.
struct MountDiskAction: AgentAction {
  let disks: PersistentDisks
  let method = AgentMethod.mountDisk
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    try await disks.mount(call.string(0, "disk cid"))
    return [:]
  }
}
