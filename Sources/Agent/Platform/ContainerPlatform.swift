import AgentProtocol
import Formats
import Glibc
import Logging
import Processes

/// A VM of the runc cloud. Host name, network, clock, file systems and boot loader are the cloud's business there; the
/// agent makes folders and users, and says what it leaves alone.
struct ContainerPlatform: Platform {
  let name = "container"
  let layout: VMLayout
  let ownership: Ownership
  let disks: any DiskAttachment
  let logger: Logger
  /// Whether users of the machine may be changed: not in tests, nor on the `dummy` platform.
  let changesUsers: Bool

  func prepare(_ settings: EffectiveSettings) async throws {
    logger.info(
      "container platform: left to the cloud",
      metadata: ["parts": "partitions, swap, host name, network, NTP, IPv6, firewall, boot loader"])
    umask(0o022)
    try Directories.make(layout, ownership)
    try Directories.removeLeftovers(layout)
    guard changesUsers else { return }
    let env = settings.document.env
    if let password = env.password { try await setPassword(password, keepsRoot: env.keepRootPassword) }
    if !env.authorizedKeys.isEmpty { try authorize(env.authorizedKeys) }
  }

  /// An empty hash locks the account.
  private func setPassword(_ hash: String, keepsRoot: Bool) async throws {
    guard !hash.utf8.contains(where: { $0 <= 0x20 || $0 == UInt8(ascii: ":") }) else {
      throw DroverError(.invalid, "env.bosh.password: expected a crypt hash")
    }
    let users = (keepsRoot ? [] : ["root"]) + (Accounts.find(user: "vcap") == nil ? [] : ["vcap"])
    var command = Command("chpasswd", "-e")
    command.input = Array(users.map { "\($0):\(hash.isEmpty ? "*" : hash)\n" }.joined().utf8)
    if !users.isEmpty { try await command.run() }
  }

  private func authorize(_ keys: [String]) throws {
    guard let user = Accounts.find(user: "vcap") else { return }
    let folder = "\(user.home)/.ssh"
    try Files.makeFolder(folder, mode: 0o700)
    let path = "\(folder)/authorized_keys"
    try Files.replace(path, with: Array((keys.joined(separator: "\n") + "\n").utf8), mode: 0o600)
    for place in [folder, path] {
      guard chown(place, user.id, user.group) == 0 else { throw DroverError.system(errno, "giving \(place) to vcap") }
    }
    guard chmod(folder, 0o700) == 0 else { throw DroverError.system(errno, "setting the mode of \(folder)") }
  }
}
