import AgentProtocol
import Formats

/// Moves the content of the disk on the store to the one that is mounted beside it. The arguments are ignored.
struct MigrateDiskAction: AgentAction {
  let disks: PersistentDisks
  let method = AgentMethod.migrateDisk
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    try await disks.migrate(to: disks.migrationTarget())
    return [:]
  }
}
