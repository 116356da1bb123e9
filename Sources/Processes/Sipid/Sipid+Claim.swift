import Files
import Formats
import Glibc

/// What `sipid` does (reference/lifecycle.md 2), apart from asking a service for its health.
public enum Sipid {
  /// Writes a pid into a pidfile, unless that speaks of a process that runs. Of several claims at once one succeeds.
  ///
  /// - Parameter pid: need not be that of a process yet.
  public static func claim(_ pid: Int, _ path: String) throws {
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    try makeFolder(folder)
    let lock = try lock(path)
    defer {
      // Also on behalf of processes that are being forked, which hold it until they execute a program.
      flock(lock, LOCK_UN)
      close(lock)
    }
    let file = ClaimedPidfile(path: path)
    if let number = try file.numberIfAny(), file.process(number) != nil {
      let state = number == pid ? "is already in the pidfile" : "already exists"
      throw DroverError(.conflict, "process \(number) (\(path)) \(state)")
    }
    try file.write(pid)
  }

  private static func lock(_ path: String) throws -> Int32 {
    while true {
      let descriptor = open(path, O_RDONLY | O_CREAT | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else { throw SipidFailure.system("open", path) }
      guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
        close(descriptor)
        throw DroverError(.conflict, "another process is locking")
      }
      var (locked, there) = (stat(), stat())
      // Somebody may have removed the file in between; then the lock is one that nobody else looks at.
      if fstat(descriptor, &locked) == 0, stat(path, &there) == 0, locked.st_ino == there.st_ino,
        locked.st_dev == there.st_dev
      {
        return descriptor
      }
      close(descriptor)
    }
  }

  private static func makeFolder(_ path: String) throws {
    do {
      try Files.makeFolder(path, mode: 0o700)
    } catch {
      // The first one that is missing, as people know the text.
      var missing = path
      while let above = Files.folder(of: missing), !Files.isVisible(above) { missing = above }
      let isFile = Files.isVisible(missing) && (try? Files.isFolder(missing)) == false
      throw SipidFailure.system("mkdir", missing, isFile ? ENOTDIR : errorNumber(of: missing))
    }
  }

  private static func errorNumber(of path: String) -> Int32 {
    if mkdir(path, 0o700) == 0 {
      rmdir(path)
      return EAGAIN
    }
    return errno
  }
}
