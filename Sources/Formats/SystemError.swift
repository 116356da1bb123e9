import Glibc

/// The error that a system call just left: what was being done, and the system's text for `errno`.
public func systemError(_ doing: @autoclosure () -> String) -> DroverError {
  let number = errno
  return systemError(doing(), number)
}

/// The error of a system call: what was being done, and the system's text for `number` (an errno). A full disk is called
/// one.
public func systemError(_ doing: String, _ number: Int32) -> DroverError {
  let code: DroverError.Code =
    switch number {
    case ENOENT, ENOTDIR, ESRCH: .notFound
    case EEXIST, EBUSY, EWOULDBLOCK: .conflict
    case EACCES, EPERM: .forbidden
    case ETIMEDOUT: .timeout
    default: .failed
    }
  let reason = systemErrorText(number)
  switch number {
  case ENOSPC, EDQUOT:
    return DroverError(code, "\(doing): the disk is full (\(reason)); free some space and try again")
  default: return DroverError(code, "\(doing): \(reason)")
  }
}

/// The system's text for an errno.
public func systemErrorText(_ number: Int32) -> String {
  strerror(number).map { String(cString: $0) } ?? "error \(number)"
}
