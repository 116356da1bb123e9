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
    if number == EEXIST, try FileFacts(path)?.kind == .folder { return }
    throw systemError("making folder '\(path)'", number)
  }

  /// The names in a folder, sorted by their bytes, without `.` and `..`; none when there is no such folder.
  public static func names(in path: String) throws -> [String] {
    guard let stream = opendir(path) else {
      if errno == ENOENT { return [] }
      throw systemError("listing '\(path)'")
    }
    return try FolderEntry.rest(of: stream, path).map(\.text).sortedByBytes()
  }

  /// Whether there is a folder of that path; links do not count.
  public static func isFolder(_ path: String) throws -> Bool {
    try FileFacts(path, followsLinks: false)?.kind == .folder
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

  /// Where the environment wants what is there for a while only (`TMPDIR`).
  public static var temporary: String {
    let named = getenv("TMPDIR").map { String(cString: $0) } ?? ""
    return named.isEmpty ? "/tmp" : named
  }

  /// Makes an empty folder with a new name, for this user only, in ``temporary``.
  ///
  /// - Parameter prefix: what the name begins with.
  public static func makeTemporaryFolder(_ prefix: String) throws -> String {
    var template = Array("\(temporary)/\(prefix)-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw systemError("making a folder in '\(temporary)'") }
    return String(cString: made)
  }
}
