import Formats
import Glibc

/// How a log that several processes may write to is kept from growing for ever: at a size it is renamed to `PATH.1`, what
/// was called so to `PATH.2`, and so on; the last one goes.
///
/// Whoever writes goes on with the renamed file until he has opened the path anew, so no line is lost or torn.
public struct LogRotation: Sendable, Hashable {
  public let path: String
  /// At which size it is renamed, in bytes.
  public let size: Int
  /// How many renamed ones are kept.
  public let keep: Int

  public static let usualSize = 10 << 20
  public static let usualKeep = 5

  public init(path: String, size: Int = usualSize, keep: Int = usualKeep) {
    self.path = path
    self.size = max(1, size)
    self.keep = max(1, keep)
  }

  /// What the path is to those who write to a file that they have open.
  public enum Finding: Sendable, Hashable {
    case fine
    /// It is large enough to be renamed.
    case full
    /// Somebody else has renamed or removed it: it is to be opened anew.
    case gone
  }

  /// - Parameters:
  ///   - open: which file is written to; nil when nobody knows.
  ///   - current: which file the path is; nil when there is none.
  public func finding(open: FileIdentity?, current: FileIdentity?) -> Finding {
    guard let current, open?.isSameFile(as: current) ?? true else { return .gone }
    return current.size >= size ? .full : .fine
  }

  /// Renames the log, and removes the oldest.
  public func rotate() throws {
    for number in stride(from: keep - 1, through: 1, by: -1) { try move("\(path).\(number)", "\(path).\(number + 1)") }
    try move(path, "\(path).1")
  }

  private func move(_ old: String, _ new: String) throws {
    guard rename(old, new) != 0, errno != ENOENT else { return }
    throw systemError("renaming the log '\(old)' to '\(new)'")
  }
}
