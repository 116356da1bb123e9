import Formats
import Glibc

/// An open file, closed when the last one who uses it lets go.
final class OpenFile: Sendable {
  let path: String
  private let descriptor: Int32

  init(reading path: String) throws {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 { throw systemError("opening '\(path)'") }
  }

  /// A new file, which must not exist.
  init(creating path: String, mode: UInt32) throws {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    if descriptor < 0 { throw systemError("creating '\(path)'") }
  }

  deinit { close(descriptor) }

  /// Bytes in it.
  func size() throws -> Int64 {
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw systemError("looking at '\(path)'") }
    return Int64(status.st_size)
  }

  /// Up to `count` bytes at `offset`; none at the end.
  func read(_ count: Int, at offset: Int64) throws -> [UInt8] {
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      repeat { result = pread(descriptor, buffer.baseAddress, count, off_t(offset)) } while result < 0 && errno == EINTR
      used = max(result, 0)
    }
    if result < 0 { throw systemError("reading '\(path)'") }
    return bytes
  }

  /// Writes all of it at the file's current position.
  func write(_ bytes: [UInt8]) throws {
    try bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 {
          if errno == EINTR { continue }
          throw systemError("writing '\(path)'")
        }
        rest = rest.dropFirst(count)
      }
    }
  }

  func sync() throws {
    if fsync(descriptor) != 0 { throw systemError("syncing '\(path)'") }
  }
}

/// The error that the last system call left, as one of ours.
func systemError(_ doing: String, _ number: Int32 = errno) -> DroverError {
  let reason = String(cString: strerror(number))
  switch number {
  case ENOENT, ENOTDIR: return DroverError(.notFound, "\(doing): \(reason)")
  case ENOSPC, EDQUOT:
    return DroverError(.failed, "\(doing): the disk is full (\(reason)); free some space and try again")
  default: return DroverError(.failed, "\(doing): \(reason)")
  }
}
