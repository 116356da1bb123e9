/// One entry of a tar archive, without its content.
public struct ArchiveEntry: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case file
    case directory
    /// With the text of the link.
    case symbolicLink(String)
    /// With the path, inside the archive, of the file that it is another name of.
    case hardLink(String)
    case characterDevice(major: Int, minor: Int)
    case blockDevice(major: Int, minor: Int)
    case fifo
  }

  /// As it stands in the archive, such as `./jobs/redis.tgz`.
  public var path: String
  public var kind: Kind
  /// Bytes of content; 0 for anything but a file.
  public var size: Int
  /// Permission bits with set-user-id, set-group-id and sticky.
  public var mode: Int
  public var userID: Int
  public var groupID: Int
  /// Seconds since 1970.
  public var modifiedAt: Int

  public init(
    path: String, kind: Kind, size: Int = 0, mode: Int, userID: Int = 0, groupID: Int = 0, modifiedAt: Int = 0
  ) {
    self.path = path
    self.kind = kind
    self.size = size
    self.mode = mode
    self.userID = userID
    self.groupID = groupID
    self.modifiedAt = modifiedAt
  }

  /// The parts of the path without `.`, so that `./a//b/` and `a/b` are the same; empty for the archive's root.
  public var components: [String] { EntryPath.components(path) }

  /// The path without `./` and trailing slash: what it is looked up by.
  public var name: String { components.joined(separator: "/") }
}
