internal import Formats
internal import Glibc

/// An open file or folder, closed when it is let go.
final class OpenFile {
  let descriptor: Int32
  let path: String

  init(descriptor: Int32, path: String) {
    self.descriptor = descriptor
    self.path = path
  }

  deinit { close(descriptor) }

  /// - Throws: ``DroverError`` with the system's reason.
  convenience init(_ path: String, _ flags: Int32, mode: mode_t = 0o666) throws {
    let descriptor = open(path, flags | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw OpenFile.error("open", path) }
    self.init(descriptor: descriptor, path: path)
  }

  static func error(_ what: String, _ path: String) -> DroverError {
    let number = errno
    let code: DroverError.Code =
      switch number {
      case ENOENT: .notFound
      case EEXIST, ENOTEMPTY: .conflict
      default: .failed
      }
    return DroverError(code, "cannot \(what) \(path): \(String(cString: strerror(number)))")
  }

  /// Bytes read; 0 at the end.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw OpenFile.error("read", path) }
    }
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if count >= 0 {
        rest = rest.dropFirst(count)
      } else if errno != EINTR {
        throw OpenFile.error("write", path)
      }
    }
  }

  /// The status of a file without following a link; nil when there is none.
  static func status(_ folder: Int32, _ name: String) -> stat? {
    var status = stat()
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 ? status : nil
  }
}

extension stat {
  var type: mode_t { st_mode & S_IFMT }
}
