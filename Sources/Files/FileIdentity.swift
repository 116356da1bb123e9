import Glibc
public import Surroundings

/// Which file it is, whatever it is called, with what tells one state of it from the next.
public struct FileIdentity: Sendable, Hashable {
  private let device: UInt
  private let inode: UInt
  public let size: Int
  /// When its content was changed last.
  public let written: Timestamp

  private init(_ status: stat) {
    device = UInt(status.st_dev)
    inode = UInt(status.st_ino)
    size = Int(status.st_size)
    written = FileFacts.time(status.st_mtim)
  }

  /// Nil when there is no such file.
  ///
  /// - Throws: when it cannot be looked at, which does not say that there is none.
  public init?(_ path: String) throws {
    guard let status = try FileFacts.status(path) else { return nil }
    self.init(status)
  }

  /// Of an open file; nil when it is not open.
  public init?(descriptor: Int32) {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }

  public func isSameFile(as other: FileIdentity) -> Bool { device == other.device && inode == other.inode }
}
