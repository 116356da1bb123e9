import Containers
import Files
import Formats
import Glibc
import Processes

/// What has to be on the host before a container can be made: folders, volumes, log files (reference/bpm.md 5.1).
struct Prerequisites: Sendable {
  let names: JobProcess
  let process: ProcessConfiguration
  let user: ContainerSpec.User

  /// Makes it all; returns the open log files.
  func make() throws -> Bundle.Logs {
    try JobFolders.make(names.pidFolder, root: names.root)
    var missing: [String] = []
    var owned: [String] = []
    for volume in process.volumes {
      if volume.isShared { try makeShared(volume.path) }
      if volume.isMountOnly { continue }
      if let facts = try FileFacts(volume.path) {
        if facts.kind == .folder, chmod(volume.path, 0o700) != 0 {
          throw systemError("chmod \(volume.path)")
        }
      } else {
        missing.append(volume.path)
      }
      owned.append(volume.path)
    }
    missing += [names.logFolder, names.runFolder, names.temporaryFolder]
    if process.ephemeralDisk { missing.append(names.dataFolder) }
    if process.persistentDisk {
      guard try Files.exists("\(names.root)/store") else {
        throw DroverError(.notFound, "requested persistent disk does not exist")
      }
      missing.append(names.storeFolder)
    }
    for folder in missing { try JobFolders.make(folder, root: names.root, owner: user) }
    for path in owned where chown(path, uid_t(user.uid), gid_t(user.gid)) != 0 {
      throw systemError("chown \(path)")
    }
    return (try LogFile.open(names.outputLog, owner: user), try LogFile.open(names.errorLog, owner: user))
  }

  /// Makes a path a mount of its own whose mounts spread to and from containers. Two processes that share it must not
  /// do so at once. Nobody undoes it: others may use it by then.
  private func makeShared(_ path: String) throws {
    let lock = try LockFile.acquire(JobProcess.volumeLock(names.root, path))
    defer { lock.release() }
    let isNew = !MountTable.isMountPoint(path)
    if isNew, mount(path, path, "", UInt(MS_BIND), nil) != 0 {
      throw systemError("binding the shared volume \(path) to itself")
    }
    guard mount("none", path, "", UInt(MS_SHARED), nil) != 0 else { return }
    let error = errno
    if isNew { umount(path) }
    throw systemError("sharing the mounts of volume \(path)", error)
  }

  /// The nodes of the configured devices, with the host's modes. They belong to whom the process runs as: on the host
  /// most are root's.
  static func devices(_ process: ProcessConfiguration, owner: ContainerSpec.User) throws -> [OCISpec.Device] {
    try process.devices.map { device in
      var information = stat()
      guard stat(device.path, &information) == 0 else {
        throw DroverError(.notFound, "device \(device.path) is not on this host")
      }
      let kind = information.st_mode & S_IFMT
      guard kind == S_IFCHR || kind == S_IFBLK else {
        throw DroverError(.invalid, "\(device.path) is not a device")
      }
      let number = UInt64(information.st_rdev)
      return OCISpec.Device(
        path: device.path, type: kind == S_IFBLK ? "b" : "c",
        major: Int((number >> 8) & 0xFFF | (number >> 32) & ~0xFFF), minor: Int(number & 0xFF | (number >> 12) & ~0xFF),
        mode: Int(information.st_mode & 0o777), uid: owner.uid, gid: owner.gid)
    }
  }
}
