import Formats
import Glibc

/// An exclusive lock on a file (flock), held until this is released or its process ends.
public final class LockFile: Sendable {
  private let fd: Int32

  private init(fd: Int32) { self.fd = fd }

  deinit { close(fd) }

  /// Takes the lock if nobody has it; the file is made when it is not there.
  ///
  /// - Returns: nil when somebody else has it.
  public static func tryAcquire(_ path: String) throws -> LockFile? { try lock(path, LOCK_EX | LOCK_NB) }

  /// Takes the lock, blocking this thread until it is free: for short sections outside of async code.
  public static func acquire(_ path: String) throws -> LockFile {
    guard let lock = try lock(path, LOCK_EX) else { throw DroverError(.conflict, "\(path) is locked") }
    return lock
  }

  private static func lock(_ path: String, _ operation: Int32) throws -> LockFile? {
    let fd = try Files.openDescriptor(path, O_RDWR | O_CREAT)
    while flock(fd, operation) != 0 {
      if errno == EINTR { continue }
      let error = errno
      close(fd)
      if error == EWOULDBLOCK { return nil }
      throw DroverError.system(error, "locking \(path)")
    }
    return LockFile(fd: fd)
  }

  /// Gives the lock back now, also on behalf of processes forked meanwhile.
  public func release() { flock(fd, LOCK_UN) }
}
