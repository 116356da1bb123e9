import Formats
import Glibc
import Synchronization

/// A file that is written where nobody sees it, and put in its place when it is whole.
///
/// Until then it has no name (`O_TMPFILE`): it is gone with the process that writes it, whatever ends that. To replace
/// another file it needs one from one system call to the next. What a kill between the two leaves there is whole, and
/// goes when the same file is replaced the next time. File systems that know no files without names (network file systems,
/// mostly) have it beside its place from the beginning, where a kill leaves it.
public final class NewFile: Sendable {
  /// Where it is put.
  public let path: String
  /// To be written to.
  public let file: OpenFile
  /// The name that it has meanwhile; nil for none.
  private let name: Mutex<String?>
  /// The name that it has when it replaces another one.
  private let waiting: String

  /// - Parameters:
  ///   - mode: permissions, of which the umask takes its part away.
  ///   - workplace: the folder in which it is made, on the same file system; that of `path` when nil.
  public convenience init(_ path: String, mode: UInt32, workplace: String? = nil) throws {
    try self.init(path, mode: mode, workplace: workplace, isNamed: false)
  }

  init(_ path: String, mode: UInt32, workplace: String?, isNamed: Bool) throws {
    let own = path[(path.lastIndex(of: "/").map(path.index(after:)) ?? path.startIndex)...]
    let folder = workplace ?? Files.folder(of: path) ?? (path.hasPrefix("/") ? "/" : ".")
    self.path = path
    // Short, since it must not be longer than a name may be.
    waiting = "\(folder)/.\(own.utf8.count > 200 ? own.prefix(50) : own).drover-new"
    if !isNamed, let file = try OpenFile(unnamedIn: folder, mode: mode, for: path) {
      self.file = file
      name = Mutex(nil)
    } else {
      let made = "\(folder)/.drover-new.\(getpid()).\(UInt64.random(in: .min ... .max))"
      file = try OpenFile(creating: made, mode: mode)
      name = Mutex(made)
    }
  }

  deinit {
    name.withLock { name in if let name { unlink(name) } }
  }

  /// Puts it in its place, over whatever file is there.
  public func replace() throws {
    try name.withLock { name in
      if name == nil {
        if try link(to: path) { return }
        // What nobody has locked, nobody is about to put in its place.
        _ = flock(file.descriptor, LOCK_EX)
        var tries = 0
        while try !link(to: waiting) {
          tries += 1
          guard tries < 20_000 else {
            throw DroverError(.conflict, "replacing '\(path)': '\(waiting)' is in the way; remove it")
          }
          try Self.removeLeftover(waiting)
        }
        name = waiting
      }
      guard let current = name else { return }
      if rename(current, path) != 0 { throw systemError("replacing '\(path)'") }
      name = nil
    }
  }

  /// Puts it in its place unless there is something. Returns whether it did.
  public func create() throws -> Bool {
    try name.withLock { name in
      guard let current = name else { return try link(to: path) }
      if Glibc.link(current, path) == 0 { return true }
      if errno == EEXIST { return false }
      throw systemError("creating '\(path)'")
    }
  }

  /// Gives it a name; false when something has that name.
  private func link(to name: String) throws -> Bool {
    if linkat(AT_FDCWD, file.ownPath, AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0 { return true }
    if errno == EEXIST { return false }
    throw systemError("creating '\(name)'")
  }

  /// Removes what a process has left that is no more; what another is about to put in its place is let be for now.
  private static func removeLeftover(_ path: String) throws {
    let left = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
    if left < 0 {
      if errno == ENOENT { return }
      throw systemError("removing '\(path)', which a killed process has left")
    }
    defer { close(left) }
    guard flock(left, LOCK_EX | LOCK_NB) == 0 else {
      usleep(500)
      return
    }
    // Only who has its lock renames or removes it, so if this is it, it stays it.
    var (locked, named) = (stat(), stat())
    guard fstat(left, &locked) == 0, lstat(path, &named) == 0 else { return }
    guard locked.st_ino == named.st_ino, locked.st_dev == named.st_dev else { return }
    if unlink(path) != 0, errno != ENOENT {
      throw systemError("removing '\(path)', which a killed process has left")
    }
  }
}
