internal import Formats
internal import Glibc

/// Deletes trees by opened folders, so that a link inside is deleted, never followed.
enum TreeRemoval {
  static func remove(_ path: String) throws {
    var status = stat()
    guard lstat(path, &status) == 0 else {
      if errno == ENOENT { return }
      throw OpenFile.error("remove", path)
    }
    guard status.type == S_IFDIR else {
      guard unlink(path) == 0 || errno == ENOENT else { throw OpenFile.error("remove", path) }
      return
    }
    let folder = try OpenFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    try removeContents(folder.descriptor, path)
    guard rmdir(path) == 0 || errno == ENOENT else { throw OpenFile.error("remove", path) }
  }

  /// Removes everything in an opened folder.
  static func removeContents(_ folder: Int32, _ path: String) throws {
    for name in try names(folder, path) {
      let place = "\(path)/\(name)"
      if unlinkat(folder, name, 0) == 0 || errno == ENOENT { continue }
      guard errno == EISDIR || errno == EPERM else { throw OpenFile.error("remove", place) }
      let descriptor = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      if descriptor < 0, errno == ENOENT { continue }
      guard descriptor >= 0 else { throw OpenFile.error("remove", place) }
      let inner = OpenFile(descriptor: descriptor, path: place)
      try removeContents(inner.descriptor, place)
      guard unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT else { throw OpenFile.error("remove", place) }
    }
  }

  /// The names in an opened folder, without `.` and `..`, sorted by their bytes.
  static func names(_ folder: Int32, _ path: String) throws -> [String] {
    let copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard copy >= 0, let stream = fdopendir(copy) else { throw OpenFile.error("list", path) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let length = Int(strlen(&entry.pointee.d_name.0))
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(validating: $0.prefix(length), as: UTF8.self) }
      guard let name else { throw DroverError(.invalid, "\(path): a file's name is not valid UTF-8") }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}
