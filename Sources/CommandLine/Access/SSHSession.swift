import Files
import Formats
import Glibc
import Processes
import Surroundings

/// A session's user on some VMs: made for this one command with a key of its own, and removed at its end.
struct SSHSession: Sendable {
  /// A machine that lets the session's user in.
  struct Host: Sendable, Hashable {
    var group: String
    var id: String
    var address: String
    var hostKey: String
    var name: String { "\(group)/\(id)" }
  }

  let user: String
  let hosts: [Host]
  /// Holds the key and the hosts' keys; removed with the session.
  let folder: String
  /// Further options for ssh and scp.
  let options: [String]

  /// Runs a body with a session on the instances that are meant.
  static func with<Result>(
    _ client: DirectorClient, deployment: String, _ slug: InstanceSlug, options: [String],
    _ body: (SSHSession) async throws -> Result
  ) async throws -> Result {
    let surroundings = Surroundings.system
    let user = "bosh_\(surroundings.identifier().filter { $0 != "-" }.prefix(15))"
    let folder = try Files.makeTemporaryFolder("drover-ssh")
    defer { try? Files.remove(folder) }
    try await Command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", user, "-f", "\(folder)/key").run()
    guard let key = try Files.text("\(folder)/key.pub") else {
      throw DroverError(.failed, "ssh-keygen left no key in \(folder)")
    }
    let path = "/deployments/\(PathText.escape(deployment))/ssh"
    // Asked for also when the answer does not come: the user may have been made.
    func cleanUp() async {
      let order: Value = ["command": "cleanup", "params": ["user_regex": .string("^\(user)$")], "target": slug.target]
      _ = try? await client.start(.post, path, .json(order))
    }
    do {
      let order: Value = [
        "command": "setup", "params": ["user": .string(user), "public_key": .string(key)], "target": slug.target,
      ]
      let follower = TaskFollower(client: client, task: try await client.start(.post, path, .json(order)))
      try await follower.follow("event") { _ in }
      let end = try await follower.state()
      guard end.state == "done" else {
        throw DroverError(.failed, "Task \(follower.task): \(end.result ?? end.state)")
      }
      let found = try Self.hosts(try await follower.resultLines())
      let known = found.map { "\($0.address) \($0.hostKey)\n" }.joined()
      try Files.replace("\(folder)/hosts", with: Array(known.utf8), mode: 0o600)
      let result = try await body(SSHSession(user: user, hosts: found, folder: folder, options: options))
      await cleanUp()
      return result
    } catch {
      await cleanUp()
      throw error
    }
  }

  /// Reads the result of the task.
  static func hosts(_ lines: [Value]) throws -> [Host] {
    try lines.flatMap { $0.array ?? [] }.map { value in
      let reader = try FieldReader(value, at: "ssh")
      guard try reader.string("status") == "success" else {
        throw DroverError(.failed, "ssh: an instance answered: \(JSON.text(value).prefix(300))")
      }
      return Host(
        group: try reader.optionalString("job") ?? "", id: try reader.optionalString("id") ?? "",
        address: try reader.string("ip"),
        hostKey: try reader.string("host_public_key").split(separator: "\n").first.map(String.init) ?? "")
    }
  }

  /// What ssh and scp are both told.
  private var common: [String] {
    [
      "-o", "IdentityFile=\(folder)/key", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=yes", "-o",
      "UserKnownHostsFile=\(folder)/hosts", "-o", "GlobalKnownHostsFile=/dev/null", "-o", "PasswordAuthentication=no",
      "-o", "LogLevel=ERROR", "-o", "ServerAliveInterval=30",
    ] + options
  }

  /// - Parameter command: for the user's shell there; nil for a shell at the terminal.
  func ssh(_ host: Host, command: String?, hasTerminal: Bool) -> [String] {
    ["ssh"] + common + ["-l", user, hasTerminal ? "-tt" : "-T", host.address] + (command.map { ["--", $0] } ?? [])
  }

  func scp(_ paths: [String], isRecursive: Bool) -> [String] {
    ["scp", "-q"] + (isRecursive ? ["-r"] : []) + common + ["--"] + paths
  }

  /// A file on a host, as scp names it.
  func remote(_ host: Host, _ path: String) -> String { "\(user)@\(host.address):\(path)" }
}
