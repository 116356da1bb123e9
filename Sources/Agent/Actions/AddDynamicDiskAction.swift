import AgentProtocol
import Formats

/// Links a disk that a job asked for where the job finds it.
struct AddDynamicDiskAction: AgentAction {
  let disks: any DiskAttachment
  let layout: VMLayout
  let ownership: Ownership
  let method = AgentMethod.addDynamicDisk
  let traits = ActionTraits(isAsynchronous: true, order: .serial)

  func run(_ call: TaskCall) async throws -> Value {
    let cid = SafeName.fileName(try call.string(0, "disk cid"))
    try ownership.folderIfMissing(layout.dynamicDisks, 0o700)
    try Links.link("\(layout.dynamicDisks)/\(cid)", to: await disks.path(DiskHint(call.arguments[1])))
    return [:]
  }
}
