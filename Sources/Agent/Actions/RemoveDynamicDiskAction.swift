import AgentProtocol
import Files
import Formats

/// Takes the link to a dynamic disk away; one that is not there is fine.
struct RemoveDynamicDiskAction: AgentAction {
  let layout: VMLayout
  let method = AgentMethod.removeDynamicDisk
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    let cid = SafeName.fileName(try call.string(0, "disk cid"))
    try Files.remove("\(layout.dynamicDisks)/\(cid)")
    return [:]
  }
}
