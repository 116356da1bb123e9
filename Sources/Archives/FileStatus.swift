internal import Files
internal import Formats
internal import Glibc

extension stat {
  var type: mode_t { st_mode & S_IFMT }
}

extension OpenFile {
  /// The system's status of this file.
  func status() throws -> stat {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw systemError("looking at '\(path)'") }
    return status
  }

  /// The status of what has a name in this folder, not following a link; nil when there is none.
  func status(_ name: String) throws -> stat? {
    var status = stat()
    if fstatat(descriptor, name, &status, AT_SYMLINK_NOFOLLOW) == 0 { return status }
    if errno == ENOENT { return nil }
    throw systemError("looking at '\(path)/\(name)'")
  }
}
