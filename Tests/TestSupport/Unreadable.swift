import Formats
import Glibc

/// What cannot be read, not even by root, and must not pass for what is not there.
public enum Unreadable: CaseIterable, Sendable {
  case folder
  /// What a bad disk answers.
  case inputOutputError

  /// - Throws: when there is something at the path.
  public func put(_ path: String) throws {
    let failed =
      switch self {
      case .folder: mkdir(path, 0o755)
      // Nothing is mapped where a process's memory begins.
      case .inputOutputError: symlink("/proc/self/mem", path)
      }
    if failed != 0 { throw systemError("making '\(path)' unreadable") }
  }

  /// The system's words for it.
  public var reason: String {
    switch self {
    case .folder: "Is a directory"
    case .inputOutputError: "Input/output error"
    }
  }
}

/// A link to itself: nobody can find out, not even root, what is behind it.
public func makeLinkLoop(_ path: String) throws {
  guard symlink(path, path) == 0 else { throw systemError("linking '\(path)' to itself") }
}
