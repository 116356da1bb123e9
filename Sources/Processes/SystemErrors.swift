public import Formats
import Glibc

extension DroverError {
  /// An error of a system call: what was being done, and the system's text for `number` (an errno).
  public static func system(_ number: Int32, _ doing: String) -> DroverError {
    let code: Code =
      switch number {
      case ENOENT, ESRCH: .notFound
      case EEXIST, EBUSY, EWOULDBLOCK: .conflict
      case EACCES, EPERM: .forbidden
      case ETIMEDOUT: .timeout
      default: .failed
      }
    return DroverError(code, "\(doing): \(systemErrorText(number))")
  }
}

/// The system's text for an errno.
func systemErrorText(_ number: Int32) -> String { strerror(number).map { String(cString: $0) } ?? "error \(number)" }
