import Formats
import Glibc

/// Folders and what is in them.
public enum FileTree {
  /// Makes a folder and those above it. Returns whether it is new.
  @discardableResult
  public static func makeFolder(_ path: String, mode: UInt32) throws -> Bool {
    if mkdir(path, mode) == 0 { return true }
    switch errno {
    case EEXIST: return false
    case ENOENT:
      guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { throw systemError("making '\(path)'") }
      try makeFolder(String(path[..<slash]), mode: mode)
      if mkdir(path, mode) != 0, errno != EEXIST { throw systemError("making folder '\(path)'") }
      return true
    default: throw systemError("making folder '\(path)'")
    }
  }

  /// The names in a folder, in no order, without `.` and `..`.
  public static func names(in path: String) throws -> [String] {
    guard let directory = opendir(path) else { throw systemError("listing '\(path)'") }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  /// Bytes in a regular file; nil when there is none.
  public static func fileSize(_ path: String) throws -> Int64? {
    var status = stat()
    if lstat(path, &status) != 0 {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw systemError("looking at '\(path)'")
    }
    return status.st_mode & S_IFMT == S_IFREG ? Int64(status.st_size) : nil
  }

  /// Whether there is a folder of that path; links do not count.
  public static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Removes a file, or a folder with everything in it, following no links. It may be gone already.
  public static func remove(_ path: String) throws {
    if isFolder(path) {
      for name in try names(in: path) { try remove("\(path)/\(name)") }
      if rmdir(path) != 0, errno != ENOENT { throw systemError("removing folder '\(path)'") }
    } else if unlink(path) != 0, errno != ENOENT, errno != ENOTDIR {
      throw systemError("removing '\(path)'")
    }
  }

  /// Makes what was created, renamed or removed beside `path` survive a loss of power.
  public static func syncFolder(of path: String) throws {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    try OpenFile(reading: folder.isEmpty ? "/" : folder).sync()
  }
}
