import Formats
import Glibc

/// How full a filesystem is.
public struct FilesystemUse: Sendable, Hashable {
  public let blockSize: Int
  public let blocks: Int
  public let freeBlocks: Int
  public let availableBlocks: Int
  public let inodes: Int
  public let freeInodes: Int

  /// Of the filesystem that a path lies on, or that a block device holds.
  ///
  /// - Throws: when there is none, or the device is not mounted.
  public init(_ path: String) throws {
    var place = path
    if try FileFacts(path)?.kind == .blockDevice {
      guard let mount = Self.mountPoint(of: path, in: Files.textIfPresent("/proc/self/mounts") ?? "") else {
        throw DroverError(.notFound, "\(path) is not mounted")
      }
      place = mount
    }
    var information = statvfs()
    guard statvfs(place, &information) == 0 else { throw systemError("looking at \(place)") }
    blockSize = Int(information.f_frsize)
    blocks = Int(information.f_blocks)
    freeBlocks = Int(information.f_bfree)
    availableBlocks = Int(information.f_bavail)
    inodes = Int(information.f_files)
    freeInodes = Int(information.f_ffree)
  }

  static func mountPoint(of device: String, in mounts: String) -> String? {
    for line in mounts.split(separator: "\n") {
      let fields = line.split(separator: " ")
      if fields.count > 1, fields[0] == device { return String(fields[1]) }
    }
    return nil
  }

  /// In percent; what is kept for root counts as used, as in df.
  public var usedPercent: Double {
    let used = blocks - freeBlocks
    return used + availableBlocks > 0 ? 100 * Double(used) / Double(used + availableBlocks) : 0
  }

  public var usedBytes: Int { (blocks - freeBlocks) * blockSize }
  public var usedInodes: Int { inodes - freeInodes }
  public var usedInodesPercent: Double { inodes > 0 ? 100 * Double(usedInodes) / Double(inodes) : 0 }
}
