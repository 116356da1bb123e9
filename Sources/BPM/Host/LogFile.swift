import Files
import Formats
import Glibc

/// The log files of a job, which belong to whom its processes run as (reference/bpm.md 7).
enum LogFile {
  /// One that is made when it is not there, opened for appending and given to its owner. Links are refused: who owns the
  /// folder could have root write anywhere.
  static func open(_ path: String, owner: ContainerSpec.User) throws -> OpenFile {
    let descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      if errno == ELOOP {
        throw DroverError(
          .forbidden, "refusing to open symlink at \(path): open \(path): too many levels of symbolic links")
      }
      throw systemError("open \(path)")
    }
    let file = OpenFile(path, descriptor)
    if fchown(descriptor, uid_t(owner.uid), gid_t(owner.gid)) != 0 { throw systemError("chown \(path)") }
    return file
  }
}
