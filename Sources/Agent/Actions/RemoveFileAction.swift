import AgentProtocol
import Files
import Formats
import Surroundings

/// Removes an archive that `bundle_logs` left. The Go agent removes anything anywhere; this one only what lies in the
/// agent's own temporary folder (trap 6 of agent.md 22).
struct RemoveFileAction: AgentAction {
  let layout: VMLayout
  let method = AgentMethod.removeFile
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    let path = try call.string(0, "path")
    let prefix = "\(layout.temporary)/"
    guard path.hasPrefix(prefix) else {
      throw DroverError(
        .forbidden, "remove_file: only what lies in \(layout.temporary) is removed, not \(path.prefix(200))")
    }
    _ = try SafeName.component(String(path.dropFirst(prefix.count)), "file")
    try await blocking { try Files.remove(path) }
    return .string(path)
  }
}
