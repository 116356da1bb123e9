internal import Formats
internal import Releases

/// `src/` and `blobs/` of a release folder, in which packages look for their files.
struct SourceTree {
  private let folder: String
  /// Relative paths, and below which of the two.
  private let candidates: [(path: String, place: String)]

  /// - Parameter blobs: The blobs that the release knows; what else lies in `blobs/` does not count.
  init(_ folder: String, blobs: [String]) throws {
    self.folder = folder
    candidates =
      try FolderWalk.files(below: "\(folder)/src").map { ($0, "src") }
      + blobs.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { ($0, "blobs") }
  }

  /// The files of a package: path in the archive and where it is. A file of `src/` comes before a blob of the same path.
  ///
  /// - Parameter file: The spec, for errors.
  /// - Throws: ``DroverError`` when a pattern matches nothing.
  func files(of spec: PackageSpec, in file: String) throws -> [(path: String, source: String)] {
    var found: [String: String] = [:]
    for pattern in spec.files {
      let glob = try Glob(pattern)
      let matches = candidates.filter { glob.matches($0.path) }
      guard !matches.isEmpty else {
        throw DroverError(
          .invalid, "\(file): files: '\(pattern)' matches nothing in src/ and blobs/ of package '\(spec.name)'")
      }
      for match in matches where found[match.path] == nil {
        found[match.path] = "\(folder)/\(match.place)/\(match.path)"
      }
    }
    for pattern in spec.excludedFiles {
      let glob = try Glob(pattern)
      for path in found.keys where glob.matches(path) { found[path] = nil }
    }
    return found.map { ($0.key, $0.value) }
  }
}
