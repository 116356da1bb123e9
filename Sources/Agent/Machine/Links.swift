import Files
import Formats
import Glibc
import Processes

/// Symbolic links as the install layout has them (reference/agent.md 10).
enum Links {
  /// Makes `path` a link to `target`. Anything else that is there is removed first; a missing parent is made 0700.
  static func link(_ path: String, to target: String) throws {
    let old = try Files.linkText(path)
    if old == target { return }
    if let slash = path.lastIndex(of: "/") { try Files.makeFolder(String(path[..<slash]), mode: 0o700) }
    // Beside it and renamed, so that there is never no link where there was one.
    let temporary = "\(path).new"
    try Files.remove(temporary)
    guard symlink(target, temporary) == 0 else { throw systemError("linking \(path) to \(target)") }
    if old == nil { try Files.remove(path) }
    guard rename(temporary, path) == 0 else { throw systemError("linking \(path) to \(target)") }
  }
}
