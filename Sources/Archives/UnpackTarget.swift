internal import Formats
internal import Glibc

/// The folder that an archive is unpacked into, and how it was before.
final class UnpackTarget {
  let root: OpenFile
  private let wasMade: Bool
  private var isKept = false

  init(_ path: String) throws {
    wasMade = mkdir(path, 0o755) == 0
    if !wasMade, errno != EEXIST { throw OpenFile.error("make the folder", path) }
    root = try OpenFile(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
    guard try TreeRemoval.names(root.descriptor, path).isEmpty else {
      throw DroverError(.conflict, "cannot unpack into \(path): the folder is not empty")
    }
  }

  func keep() { isKept = true }

  /// As it was before, as far as the system lets us.
  func undo() {
    guard !isKept else { return }
    try? TreeRemoval.removeContents(root.descriptor, root.path)
    if wasMade { rmdir(root.path) }
  }
}
