import Formats
import Glibc

/// What is in an opened folder, by its name there: wherever the folder is moved meanwhile, and never following a link.
extension OpenFile {
  /// The names in it, sorted by their bytes, without `.` and `..`.
  ///
  /// - Throws: `invalid` when a name is not UTF-8.
  public func names() throws -> [String] {
    try FolderEntry.all(in: self, path).map { entry in
      guard let name = entry.name else {
        throw DroverError(.invalid, "listing '\(path)': the name '\(entry.text)' is not valid UTF-8")
      }
      return name
    }.sortedByBytes()
  }

  /// A file in it, to be read.
  public func file(_ name: String) throws -> OpenFile { try entry(name, O_RDONLY | O_NOFOLLOW) }

  /// A folder in it.
  public func folder(_ name: String) throws -> OpenFile { try entry(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW) }

  private func entry(_ name: String, _ flags: Int32) throws -> OpenFile {
    let place = "\(path)/\(name)"
    let descriptor = openat(descriptor, name, flags | O_CLOEXEC)
    if descriptor < 0 { throw systemError("opening '\(place)'") }
    return OpenFile(place, descriptor)
  }
}
