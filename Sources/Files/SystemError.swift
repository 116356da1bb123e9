public import Formats
import Glibc

/// The error that a system call just left, as one of ours: `notFound` for a path that does not exist, `failed` for
/// everything else; a full disk is called one.
public func systemError(_ what: @autoclosure () -> String) -> DroverError {
  let number = errno
  let doing = what()
  let reason = String(cString: strerror(number))
  switch number {
  case ENOENT, ENOTDIR: return DroverError(.notFound, "\(doing): \(reason)")
  case ENOSPC, EDQUOT:
    return DroverError(.failed, "\(doing): the disk is full (\(reason)); free some space and try again")
  default: return DroverError(.failed, "\(doing): \(reason)")
  }
}
