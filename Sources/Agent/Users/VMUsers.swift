import AgentProtocol
import Files
import Formats
import Glibc
import Processes

/// The users that every VM has, root and vcap: their passwords, and who gets in as vcap (reference/agent.md 4).
enum VMUsers {
  static func apply(_ env: AgentEnvironment, cloudKey: String?) async throws {
    if let password = env.password { try await setPassword(password, keepsRoot: env.keepRootPassword) }
    try authorize(env.authorizedKeys + (cloudKey.map { [$0] } ?? []))
  }

  /// What `chpasswd -e` reads. An empty hash locks the account.
  static func passwordLines(_ hash: String, users: [String]) throws -> String {
    guard !hash.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: ":") || $0 == 0x7F }) else {
      throw DroverError(.invalid, "env.bosh.password: expected a crypt hash")
    }
    return users.map { "\($0):\(hash.isEmpty ? "*" : hash)\n" }.joined()
  }

  private static func setPassword(_ hash: String, keepsRoot: Bool) async throws {
    let users = (keepsRoot ? [] : ["root"]) + (try Accounts.find(user: "vcap") == nil ? [] : ["vcap"])
    var command = Command("chpasswd", "-e")
    command.input = Array(try passwordLines(hash, users: users).utf8)
    if !users.isEmpty { try await command.run() }
  }

  private static func authorize(_ keys: [String]) throws {
    guard !keys.isEmpty, let user = try Accounts.find(user: "vcap") else { return }
    let folder = "\(user.home)/.ssh"
    try Files.makeFolder(folder, mode: 0o700)
    let path = "\(folder)/authorized_keys"
    try Files.replace(path, with: Array((keys.joined(separator: "\n") + "\n").utf8), mode: 0o600)
    for place in [folder, path] {
      guard chown(place, user.id, user.group) == 0 else { throw systemError("giving \(place) to vcap") }
    }
    guard chmod(folder, 0o700) == 0 else { throw systemError("setting the mode of \(folder)") }
  }
}
