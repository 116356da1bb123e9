internal import Files

/// Looking around in a release folder.
enum FolderWalk {
  /// The names in a folder, sorted by their bytes; none when there is no folder.
  ///
  /// - Throws: also when a name is not UTF-8, which no release can have.
  static func names(_ path: String) throws -> [String] {
    guard try Files.isThere(path) else { return [] }
    return try OpenFile(folder: path).names()
  }

  static func isFolder(_ path: String) throws -> Bool { try FileFacts(path)?.kind == .folder }

  /// Paths, relative to the folder, of all files and links below it. Folders that are links count as links.
  static func files(below folder: String) throws -> [String] {
    var found: [String] = []
    var open = [""]
    while let prefix = open.popLast() {
      for name in try names(folder + "/" + prefix) {
        switch try FileFacts("\(folder)/\(prefix)\(name)", followsLinks: false)?.kind {
        case .folder: open.append("\(prefix)\(name)/")
        case .file, .link: found.append(prefix + name)
        default: continue
        }
      }
    }
    return found.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
