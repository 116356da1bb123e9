import AgentProtocol
import Files
import Formats
import Glibc
import Processes
import Surroundings

/// The container platform's disks: unpartitioned file systems or folders that the cloud shows in the VM, mounted in their
/// place by a bind mount. Which of both it is, and so whether a size is enforced, is the cloud's doing.
struct FolderDisks: DiskAttachment {
  let layout: VMLayout
  let ownership: Ownership
  let surroundings: Surroundings

  func check(_ hint: DiskHint) throws { _ = try path(hint) }

  func path(_ hint: DiskHint) throws -> String {
    guard hint.path.hasPrefix("/") else {
      throw DroverError(.invalid, "persistent disk: its hint names no path: \(JSON.text(hint.value).prefix(200))")
    }
    return hint.path
  }

  func isMounted(_ hint: DiskHint) throws -> Bool {
    try isMounted(hint, on: layout.store) || isMounted(hint, on: layout.storeMigrationTarget)
  }

  func isMounted(_ hint: DiskHint, on point: String) throws -> Bool {
    let path = try path(hint)
    guard path != point, MountTable.isMountPoint(point) else { return false }
    guard let disk = try FileIdentity(path), let mounted = try FileIdentity(point) else { return false }
    return disk.isSameFile(as: mounted)
  }

  func mount(_ hint: DiskHint, on point: String, mayMake: Bool) async throws {
    let path = try path(hint)
    if try isMounted(hint, on: point) { return }
    guard try FileFacts(path)?.kind == .folder else {
      throw DroverError(
        .notFound, "mounting a persistent disk: \(path) is no folder of this machine; is the disk attached?")
    }
    try ownership.folderIfMissing(point, 0o700)
    guard Glibc.mount(path, point, nil, UInt(MS_BIND), nil) == 0 else {
      throw systemError("mounting \(path) on \(point)")
    }
  }

  /// A disk that is still used is tried for some seconds: what used it may be about to end.
  func unmount(_ point: String) async throws {
    for attempt in 0... {
      if umount(point) == 0 || !MountTable.isMountPoint(point) { return }
      let error = errno
      guard error == EBUSY, attempt < 40 else { throw systemError("unmounting \(point)", error) }
      try await surroundings.sleep(.milliseconds(250))
    }
  }

  func setWritable(_ point: String, _ isWritable: Bool) throws {
    let flags = MS_REMOUNT | MS_BIND | (isWritable ? 0 : MS_RDONLY)
    guard Glibc.mount(nil, point, nil, UInt(flags), nil) == 0 else {
      throw systemError("making \(point) \(isWritable ? "writable" : "read-only")")
    }
  }
}
