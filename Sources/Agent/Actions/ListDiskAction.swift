import AgentProtocol
import Formats

/// The persistent disks that are mounted.
struct ListDiskAction: AgentAction {
  let disks: PersistentDisks
  let method = AgentMethod.listDisk
  let traits = ActionTraits()

  func isAsynchronous(protocolVersion: Int) -> Bool { protocolVersion >= 3 }

  func run(_ call: TaskCall) async throws -> Value { Value(try await disks.mounted()) }
}
