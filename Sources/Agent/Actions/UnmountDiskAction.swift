import AgentProtocol
import Formats

/// Unmounts a persistent disk.
struct UnmountDiskAction: AgentAction {
  let disks: PersistentDisks
  let method = AgentMethod.unmountDisk
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    let (wasMounted, path) = try await disks.unmount(call.string(0, "disk cid"))
    return ["message": .string(wasMounted ? "Unmounted partition of \(path)" : "Partition of \(path) is not mounted")]
  }
}
