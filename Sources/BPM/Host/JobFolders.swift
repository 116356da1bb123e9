import Files
import Formats
import Glibc

/// Folders with the owners and modes that other programs rely on (reference/bpm.md 2).
enum JobFolders {
  /// Makes a folder and those above it that are missing. Folders that everybody has to pass stay passable, whoever makes
  /// them first: the root itself, `data`, `store`, `jobs`, `packages`, `sys` and what is directly in it.
  ///
  /// - Parameter owner: of the last folder.
  static func make(_ path: String, root: String, mode: UInt32 = 0o700, owner: ContainerSpec.User? = nil) throws {
    try make(path, root, mode)
    guard let owner else { return }
    if chown(path, uid_t(owner.uid), gid_t(owner.gid)) != 0 { throw systemError("chown \(path)") }
  }

  private static func make(_ path: String, _ root: String, _ mode: UInt32) throws {
    let isPassage = passages(root).contains(path) || !CleanPath.isAtOrBelow(path, root)
    if mkdir(path, isPassage ? 0o755 : mode) == 0 {
      // The caller's umask must not shut others out.
      if isPassage { chmod(path, 0o755) }
      return
    }
    switch errno {
    case EEXIST where try FileFacts(path)?.kind == .folder: return
    case ENOENT:
      guard let above = Files.folder(of: path) else { break }
      try make(above, root, mode)
      if mkdir(path, isPassage ? 0o755 : mode) == 0 || errno == EEXIST {
        if isPassage { chmod(path, 0o755) }
        return
      }
    default: break
    }
    throw systemError("mkdir \(path)")
  }

  private static func passages(_ root: String) -> Set<String> {
    Set(
      ["", "/data", "/store", "/jobs", "/packages", "/sys", "/sys/run", "/sys/log", "/data/packages"].map { root + $0 })
  }
}
