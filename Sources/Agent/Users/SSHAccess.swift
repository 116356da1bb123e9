import Files
import Formats
import Glibc
import Processes
import Surroundings

/// Users for `bosh ssh`: made for one session, and removed by a pattern (reference/agent.md 11).
struct SSHAccess: Sendable {
  let layout: VMLayout
  let surroundings: Surroundings
  let groups = ["vcap", "admin", "bosh_sudoers", "bosh_sshers"]

  /// Makes a user. One that is there with the same key is left as it is: the answer to the first request was lost.
  ///
  /// - Returns: the text of the host's public key.
  func setUp(user: String, publicKey: String) async throws -> String {
    guard Self.isUserName(user) else {
      throw DroverError(
        .invalid, "ssh: '\(user.prefix(100))' is no user name; expected bosh_ and small letters, digits, '_' or '-'")
    }
    guard !publicKey.utf8.contains(where: { $0 < 0x20 && $0 != 0x0A }) else {
      throw DroverError(.invalid, "ssh: the public key holds control characters")
    }
    let home = "\(layout.sshHomes)/\(user)"
    let keys = "\(home)/.ssh/authorized_keys"
    let key = publicKey + (publicKey.hasSuffix("\n") ? "" : "\n")
    if try Accounts.find(user: user) != nil, Files.textIfPresent(keys) == key { return try await hostKey() }
    try Files.makeFolder(layout.sshHomes, mode: 0o755)
    try await change("useradd", "-m", "-b", layout.sshHomes, "-s", "/bin/bash", user)
    let present = try groups.filter { try Accounts.find(group: $0) != nil }
    if !present.isEmpty { try await change("usermod", "-G", present.joined(separator: ","), user) }
    guard let entry = try Accounts.find(user: user) else {
      throw DroverError(.failed, "ssh: user \(user) was not made")
    }
    let (uid, gid) = (entry.id, entry.group)
    try Self.own(home, 0o700, uid, gid)
    try Files.makeFolder("\(home)/.ssh", mode: 0o700)
    try Self.own("\(home)/.ssh", 0o700, uid, gid)
    try Files.replace(keys, with: Array(key.utf8), mode: 0o600)
    try Self.own(keys, 0o600, uid, gid)
    return try await hostKey()
  }

  /// Removes users whose name begins with `bosh_` and matches the pattern, a POSIX extended one.
  func cleanUp(pattern: String) async throws {
    let matches = try Self.matcher(pattern)
    for user in try Self.users().filter({ $0.hasPrefix("bosh_") && Self.isUserName($0) && matches($0) }) {
      // 6: no such user; 12: its home could not be removed.
      try await change("userdel", "-rf", user, fine: [0, 6, 12])
    }
  }

  /// Runs a command that changes users. Two at once keep each other out, so one is tried for some seconds.
  private func change(_ arguments: String..., fine: [Int] = [0]) async throws {
    for attempt in 0... {
      let result = try await Command(arguments).result()
      if fine.contains(where: { result.ending == .exited($0) }) { return }
      let said = result.lastErrorLines()
      guard said.contains("lock"), attempt < 50 else {
        throw DroverError(.failed, "\(arguments.joined(separator: " ")): \(result.ending): \(said)")
      }
      try await surroundings.sleep(.milliseconds(100))
    }
  }

  static func isUserName(_ name: String) -> Bool {
    guard let first = name.utf8.first, name.utf8.count <= 32 else { return false }
    let isLetter = { (byte: UInt8) in
      (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
    }
    return isLetter(first)
      && name.utf8.allSatisfy {
        isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "-")
      }
  }

  /// - Throws: when the pattern is no regular expression.
  static func matcher(_ pattern: String) throws -> (String) -> Bool {
    func compile() -> regex_t? {
      var expression = regex_t()
      return regcomp(&expression, pattern, REG_EXTENDED | REG_NOSUB) == 0 ? expression : nil
    }
    guard var checked = compile() else {
      throw DroverError(.invalid, "ssh: user_regex '\(pattern.prefix(200))' is no regular expression")
    }
    regfree(&checked)
    return { name in
      guard var expression = compile() else { return false }
      defer { regfree(&expression) }
      return regexec(&expression, name, 0, nil, 0) == 0
    }
  }

  private static func users() throws -> [String] {
    (try Files.text("/etc/passwd") ?? "").split(separator: "\n").compactMap { line in
      line.split(separator: ":").first.map(String.init)
    }
  }

  private static func own(_ path: String, _ mode: UInt32, _ uid: UInt32, _ gid: UInt32) throws {
    guard chmod(path, mode) == 0, chown(path, uid, gid) == 0 else {
      throw systemError("giving \(path) to its user")
    }
  }

  /// The host's public key, which sshd's first start makes: that may still be under way.
  private func hostKey() async throws -> String {
    let deadline = surroundings.elapsed() + .seconds(10)
    while true {
      for kind in ["rsa", "ecdsa", "ed25519"] {
        if let text = Files.textIfPresent("/etc/ssh/ssh_host_\(kind)_key.pub"), text.hasSuffix("\n") { return text }
      }
      guard surroundings.elapsed() < deadline else {
        throw DroverError(.notFound, "ssh: this machine has no host key (/etc/ssh/ssh_host_rsa_key.pub)")
      }
      try await surroundings.sleep(.milliseconds(100))
    }
  }
}
