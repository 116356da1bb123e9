import Formats
import Glibc
public import Surroundings

/// What the system says about a file, following links.
public struct FileFacts: Sendable, Hashable {
  public enum Kind: Sendable, Hashable { case file, folder, blockDevice, other }

  public let kind: Kind
  public let size: Int
  /// The permission bits, with set-uid, set-gid and sticky.
  public let permissions: Int
  public let user: UInt32
  public let group: UInt32
  /// When its content or its state was changed last.
  public let changed: Timestamp

  /// Nil when there is no such file.
  public init?(_ path: String) {
    guard let information = Files.information(path) else { return nil }
    switch information.st_mode & S_IFMT {
    case S_IFREG: kind = .file
    case S_IFDIR: kind = .folder
    case S_IFBLK: kind = .blockDevice
    default: kind = .other
    }
    size = Int(information.st_size)
    permissions = Int(information.st_mode & 0o7777)
    user = information.st_uid
    group = information.st_gid
    let content = Self.time(information.st_mtim)
    let state = Self.time(information.st_ctim)
    changed = max(content, state)
  }

  private static func time(_ time: timespec) -> Timestamp {
    Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}

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
    if FileFacts(path)?.kind == .blockDevice {
      guard let mount = Self.mountPoint(of: path, in: Files.textIfPresent("/proc/self/mounts") ?? "") else {
        throw DroverError(.notFound, "\(path) is not mounted")
      }
      place = mount
    }
    var information = statvfs()
    guard statvfs(place, &information) == 0 else { throw DroverError.system(errno, "looking at \(place)") }
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
