internal import Files
internal import Formats
internal import Glibc

/// The folder that an archive is unpacked into, and how it was before.
final class UnpackTarget {
  let root: OpenFile
  private let wasMade: Bool
  private var isKept = false

  init(_ path: String) throws {
    wasMade = mkdir(path, 0o755) == 0
    if !wasMade, errno != EEXIST { throw systemError("making folder '\(path)'") }
    root = try OpenFile(folder: path, followsLinks: false)
    guard try root.names().isEmpty else {
      throw DroverError(.conflict, "unpacking into '\(path)': the folder is not empty")
    }
  }

  func keep() { isKept = true }

  /// As it was before, as far as the system lets us.
  func undo() {
    guard !isKept else { return }
    try? Files.removeContents(of: root)
    if wasMade { rmdir(root.path) }
  }
}
