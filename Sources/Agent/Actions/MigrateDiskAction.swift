import AgentProtocol
import Formats

/// Moves the content of the disk on the store to the one that is mounted beside it. Of the arguments (old, new) the second
/// is looked at only to go on after a restart.
struct MigrateDiskAction: AgentAction {
  let disks: PersistentDisks
  let method = AgentMethod.migrateDisk
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    try await disks.migrate(to: call.optional(1)?.string)
    return [:]
  }
}
