import Formats
import Glibc

/// An exclusive lock on a file (flock), held until this is released or its process ends.
public final class LockFile: Sendable {
  private let file: OpenFile

  private init(_ file: OpenFile) { self.file = file }

  /// Takes the lock if nobody has it; the file is made when it is not there.
  ///
  /// - Returns: nil when somebody else has it.
  public static func tryAcquire(_ path: String) throws -> LockFile? { try lock(path, LOCK_EX | LOCK_NB) }

  /// Takes the lock that one process at a time has for as long as it lives, blocking this thread for half a second at
  /// most: a process that was killed may have been about to start another one, which holds its lock until it executes
  /// its program.
  ///
  /// - Returns: nil when somebody else has it.
  public static func tryAcquireForLife(_ path: String) throws -> LockFile? {
    for _ in 0..<25 {
      if let lock = try tryAcquire(path) { return lock }
      usleep(20_000)
    }
    return try tryAcquire(path)
  }

  /// Takes the lock, blocking this thread until it is free: for short sections outside of async code.
  public static func acquire(_ path: String) throws -> LockFile {
    guard let lock = try lock(path, LOCK_EX) else { throw DroverError(.conflict, "'\(path)' is locked") }
    return lock
  }

  private static func lock(_ path: String, _ operation: Int32) throws -> LockFile? {
    let file = try OpenFile(appending: path, mode: 0o600)
    while flock(file.descriptor, operation) != 0 {
      if errno == EINTR { continue }
      if errno == EWOULDBLOCK { return nil }
      throw systemError("locking '\(path)'")
    }
    return LockFile(file)
  }

  /// Gives the lock back now, also on behalf of processes forked meanwhile.
  public func release() { flock(file.descriptor, LOCK_UN) }
}
