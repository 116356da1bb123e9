import AgentProtocol
import Formats

/// Lets somebody in for a session, and out again (reference/agent.md 11).
struct SSHAction: AgentAction {
  let access: SSHAccess
  let settings: SettingsStore
  let method = AgentMethod.ssh
  let traits = ActionTraits()

  func run(_ call: TaskCall) async throws -> Value {
    let command = try call.string(0, "ssh command")
    let parameters = try FieldReader(call.arguments[1], at: "ssh")
    switch command {
    case "setup":
      guard let address = await settings.current.document.networks.defaultIP else {
        throw DroverError(.notFound, "ssh: the settings name no address of this machine")
      }
      let key = try await access.setUp(
        user: parameters.string("user"), publicKey: parameters.string("public_key"))
      return [
        "command": "setup", "status": "success", "ip": .string(address), "host_public_key": .string(key),
      ]
    case "cleanup":
      try await access.cleanUp(pattern: parameters.string("user_regex"))
      return ["command": "cleanup", "status": "success"]
    default:
      throw DroverError(.invalid, "Unknown command for SSH method")
    }
  }
}
