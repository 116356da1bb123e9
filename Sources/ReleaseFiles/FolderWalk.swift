internal import Formats
internal import Glibc

/// Looking around in a release folder.
enum FolderWalk {
  /// The status of a file, not following a link; nil when there is none.
  static func status(_ path: String) -> stat? {
    var status = stat()
    return lstat(path, &status) == 0 ? status : nil
  }

  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  static func linkText(_ path: String) throws -> String {
    var text = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(path, &text, text.count)
    guard count >= 0, let target = String(validating: text.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self)
    else {
      throw DroverError(.failed, "cannot read the link \(path)")
    }
    return target
  }

  /// The names in a folder, sorted by their bytes; none when there is no folder.
  static func names(_ path: String) throws -> [String] {
    guard let stream = opendir(path) else {
      if errno == ENOENT { return [] }
      throw systemError("cannot list \(path)")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(validating: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard let name else { throw DroverError(.invalid, "\(path): a file's name is not valid UTF-8") }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }

  /// Paths, relative to the folder, of all files and links below it. Folders that are links count as links.
  static func files(below folder: String) throws -> [String] {
    var found: [String] = []
    var open = [""]
    while let prefix = open.popLast() {
      for name in try names(folder + "/" + prefix) {
        guard let status = status("\(folder)/\(prefix)\(name)") else { continue }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: open.append("\(prefix)\(name)/")
        case S_IFREG, S_IFLNK: found.append(prefix + name)
        default: continue
        }
      }
    }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
