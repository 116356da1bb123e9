import Files
import Formats
import Glibc
import Processes

/// Who owns what the agent makes: root, and group vcap where there is such a group (reference/agent.md 19).
struct Ownership: Sendable, Hashable {
  /// Nil where the machine has no group vcap; then groups are left alone.
  let vcap: UInt32?

  static func ofThisMachine() throws -> Ownership {
    Ownership(vcap: geteuid() == 0 ? try Accounts.find(group: "vcap") : nil)
  }

  /// Makes a folder (and those above it), or corrects the mode and group of one that exists.
  func folder(_ path: String, _ mode: UInt32, vcap isVcap: Bool = true) throws {
    try Files.makeFolder(path)
    try apply(path, mode, vcap: isVcap)
  }

  /// Makes the folder if there is none, and leaves one that exists as it is.
  func folderIfMissing(_ path: String, _ mode: UInt32, vcap isVcap: Bool = true) throws {
    if try Files.exists(path) { return }
    try folder(path, mode, vcap: isVcap)
  }

  func file(_ path: String, _ bytes: [UInt8], _ mode: UInt32, vcap isVcap: Bool = false) throws {
    try Files.replace(path, with: bytes, mode: mode)
    if isVcap { try apply(path, mode, vcap: true) }
  }

  func apply(_ path: String, _ mode: UInt32, vcap isVcap: Bool) throws {
    guard chmod(path, mode) == 0 else { throw systemError("setting the mode of \(path)") }
    try group(path, vcap: isVcap)
  }

  /// Gives a file or a link itself to root and the group.
  func group(_ path: String, vcap isVcap: Bool) throws {
    guard geteuid() == 0 else { return }
    let group = isVcap ? vcap : 0
    guard let group else { return }
    guard lchown(path, 0, group) == 0 else { throw systemError("setting the owner of \(path)") }
  }
}
