import Files
import Formats
import Glibc
import Processes

/// Symbolic links as the install layout has them (reference/agent.md 10).
enum Links {
  /// The link's text; nil when there is no link.
  static func target(of path: String) -> String? {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink(path, &buffer, buffer.count)
    guard count >= 0 else { return nil }
    return String(decoding: buffer.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Makes `path` a link to `target`. Anything else that is there is removed first; a missing parent is made 0700.
  static func link(_ path: String, to target: String) throws {
    if self.target(of: path) == target { return }
    if let slash = path.lastIndex(of: "/") { try Files.makeFolder(String(path[..<slash]), mode: 0o700) }
    // Beside it and renamed, so that there is never no link where there was one.
    let temporary = "\(path).new"
    try Files.remove(temporary)
    guard symlink(target, temporary) == 0 else { throw systemError("linking \(path) to \(target)") }
    if self.target(of: path) == nil { try Files.remove(path) }
    guard rename(temporary, path) == 0 else { throw systemError("linking \(path) to \(target)") }
  }

  static func isFolder(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
  }

  /// Whether something is there, even a link that leads nowhere.
  static func isAnything(_ path: String) -> Bool {
    var information = stat()
    return lstat(path, &information) == 0
  }

  static func isRegularFile(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
  }
}
