import Formats
import Glibc
public import Surroundings

/// What the system says about a file.
public struct FileFacts: Sendable, Hashable {
  public enum Kind: Sendable, Hashable { case file, folder, link, blockDevice, other }

  public let kind: Kind
  public let size: Int
  /// The permission bits, with set-uid, set-gid and sticky.
  public let permissions: Int
  public let user: UInt32
  public let group: UInt32
  /// When its content was changed last.
  public let written: Timestamp
  /// When its content or its state was changed last.
  public let changed: Timestamp

  /// Nil when there is no such file.
  ///
  /// - Parameter followsLinks: whether it is what a link leads to, and not the link itself.
  /// - Throws: when it cannot be looked at, which does not say that there is none.
  public init?(_ path: String, followsLinks: Bool = true) throws {
    guard let information = try Self.status(path, followsLinks: followsLinks) else { return nil }
    switch information.st_mode & S_IFMT {
    case S_IFREG: kind = .file
    case S_IFDIR: kind = .folder
    case S_IFLNK: kind = .link
    case S_IFBLK: kind = .blockDevice
    default: kind = .other
    }
    size = Int(information.st_size)
    permissions = Int(information.st_mode & 0o7777)
    user = information.st_uid
    group = information.st_gid
    written = Self.time(information.st_mtim)
    changed = max(written, Self.time(information.st_ctim))
  }

  /// Nil when there is no such file.
  static func status(_ path: String, followsLinks: Bool = true) throws -> stat? {
    var information = stat()
    if (followsLinks ? stat(path, &information) : lstat(path, &information)) == 0 { return information }
    if errno == ENOENT || errno == ENOTDIR { return nil }
    throw systemError("looking at '\(path)'")
  }

  static func time(_ time: timespec) -> Timestamp {
    Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}
