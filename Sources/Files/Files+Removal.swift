import Formats
import Glibc

extension Files {
  /// Removes a file, or a folder with all in it, not following links; nothing there is fine.
  public static func remove(_ path: String) throws {
    if unlink(path) == 0 || errno == ENOENT || errno == ENOTDIR { return }
    let number = errno
    do {
      try removeContents(of: OpenFile(folder: path, followsLinks: false))
    } catch let error as DroverError where error.code == .notFound {
      // It is gone meanwhile, or is no folder and stays for the first reason.
      if number == EISDIR { return }
      throw systemError("removing '\(path)'", number)
    }
    if rmdir(path) != 0, errno != ENOENT { throw systemError("removing folder '\(path)'") }
  }

  /// Removes all that an opened folder holds, whatever it is called and however deep it is.
  public static func removeContents(of folder: OpenFile) throws {
    var removal = try TreeRemoval(folder)
    try removal.run()
  }
}

/// The removal of a tree from its leaves on. One folder of it is open at a time, since a process may have fewer files open
/// than a tree has floors, and a path may be shorter; the way back up leads by `..` to the very folder that it came from.
private struct TreeRemoval {
  /// A folder on the way down: what is left in it, the last of which the way goes through, and which folder it is.
  private struct Floor {
    var left: [FolderEntry]
    let identity: FileIdentity?
  }

  private let top: String
  private var folder: OpenFile
  private var floors: [Floor] = []

  init(_ top: OpenFile) throws {
    self.top = top.path
    folder = top
    try enter(top)
  }

  mutating func run() throws {
    while !floors.isEmpty {
      guard let entry = floors[floors.count - 1].left.last else {
        floors.removeLast()
        if !floors.isEmpty { try leave() }
        continue
      }
      if unlinkat(folder.descriptor, entry.bytes, 0) == 0 || errno == ENOENT {
        isGone()
        continue
      }
      let number = errno
      let inner = openat(folder.descriptor, entry.bytes, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
      if inner >= 0 {
        try enter(OpenFile(entry.text, inner))
      } else if errno == ENOENT {
        isGone()
      } else {
        throw systemError("removing '\(place)'", number == EISDIR ? errno : number)
      }
    }
  }

  private mutating func isGone() { floors[floors.count - 1].left.removeLast() }

  private mutating func enter(_ inner: OpenFile) throws {
    floors.append(
      Floor(left: try FolderEntry.all(in: inner, place), identity: FileIdentity(descriptor: inner.descriptor)))
    folder = inner
  }

  /// Goes up from a folder that is empty now, and removes it.
  private mutating func leave() throws {
    let above = openat(folder.descriptor, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard above >= 0 else { throw systemError("removing folder '\(place)'") }
    folder = OpenFile("..", above)
    guard let last = floors.last, let entry = last.left.last, let identity = last.identity,
      FileIdentity(descriptor: above)?.isSameFile(as: identity) == true
    else { throw DroverError(.conflict, "removing folder '\(place)': it was moved meanwhile") }
    if unlinkat(above, entry.bytes, AT_REMOVEDIR) != 0, errno != ENOENT {
      throw systemError("removing folder '\(place)'")
    }
    isGone()
  }

  /// Where it is, for errors.
  private var place: String { ([top] + floors.compactMap { $0.left.last?.text }).joined(separator: "/") }
}
