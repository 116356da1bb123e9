import CLinux
import Files
import Formats
import Glibc

/// Changes inside the mount namespace of a running VM. Nothing becomes mounted on the host, and no link that somebody
/// made in the VM leads out of it.
struct VMNamespace: Sendable {
  /// Process id of the VM's PID 1.
  let pid: Int

  /// Shows a folder of the host at a path in the VM.
  func attach(_ folder: String, at path: String) throws {
    try check(drover_namespace_attach(Int32(pid), folder, path), "showing \(folder) as \(path)")
  }

  /// Gives a mount that has no place yet one in the VM.
  func move(_ mount: Int32, to path: String) throws {
    try check(drover_namespace_move(Int32(pid), mount, path), "showing a disk as \(path)")
  }

  /// Whether something is mounted at a path.
  func hasMount(_ path: String) -> Bool { MountTable.current(of: "\(pid)").hasMount(path) }

  /// Takes it away; fine when it is not there.
  func detach(_ path: String) throws {
    try check(drover_namespace_detach(Int32(pid), path), "taking away \(path)")
  }

  /// Makes a path writable that lies in a read-only mount; false when there is no such path.
  @discardableResult
  func makeWritable(_ path: String) throws -> Bool {
    if drover_namespace_make_writable(Int32(pid), path) == 0 { return true }
    if errno == ENOENT { return false }
    try check(-1, "making \(path) writable")
    return false
  }

  func write(_ path: String, _ bytes: [UInt8], mode: UInt32) throws {
    try check(drover_namespace_write(Int32(pid), path, bytes, bytes.count, mode), "writing \(path)")
  }

  private func check(_ result: Int32, _ doing: String) throws {
    let number = errno
    guard result != 0 else { return }
    throw systemError("\(doing) in the VM of process \(pid)", number)
  }
}
