import Formats
import Glibc

extension Files {
  /// Makes a folder and those above it; existing ones, and links to them, stay as they are.
  public static func makeFolder(_ path: String, mode: UInt32 = 0o755) throws {
    if mkdir(path, mode) == 0 { return }
    if errno == ENOENT, let above = folder(of: path) {
      try makeFolder(above, mode: mode)
      if mkdir(path, mode) == 0 { return }
    }
    let number = errno
    if number == EEXIST, FileFacts(path)?.kind == .folder { return }
    throw systemError("making folder '\(path)'", number)
  }

  /// The names in a folder, sorted, without `.` and `..`; none when there is no such folder.
  public static func names(in path: String) throws -> [String] {
    guard let folder = opendir(path) else {
      if errno == ENOENT { return [] }
      throw systemError("listing '\(path)'")
    }
    defer { closedir(folder) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    if errno != 0 { throw systemError("listing '\(path)'") }
    return names.sorted()
  }

  /// Whether there is a folder of that path; links do not count.
  public static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Removes a file, or a folder with all in it, not following links; nothing there is fine.
  public static func remove(_ path: String) throws {
    if unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR { return }
    let number = errno
    guard number == EISDIR || number == EPERM, isFolder(path) else { throw systemError("removing '\(path)'", number) }
    for name in try names(in: path) { try remove("\(path)/\(name)") }
    if rmdir(path) != 0, errno != ENOENT { throw systemError("removing folder '\(path)'") }
  }

  /// The folder that a path is in; nil for what is in `/`, and for names without a folder.
  public static func folder(of path: String) -> String? {
    guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return nil }
    return String(path[..<slash])
  }

  /// Makes what was created, renamed or removed beside `path` survive a loss of power.
  public static func syncFolder(of path: String) throws {
    try OpenFile(reading: folder(of: path) ?? (path.hasPrefix("/") ? "/" : ".")).sync()
  }
}
