import AgentProtocol
import Formats
import Processes

/// instance/health.json, which jobs read to know how their neighbours are (reference/agent.md 14).
struct HealthFile: Sendable {
  let layout: VMLayout
  let ownership: Ownership

  func write(_ state: JobState) throws {
    try ownership.folderIfMissing(layout.instance, 0o755)
    try ownership.file(layout.health, JSON.bytes(["state": .string(state.rawValue)]), 0o644)
  }
}
