import Glibc

/// Writes a file of a test; its mode makes it a program or not.
public func writeTestFile(_ path: String, _ text: String, mode: UInt32 = 0o644) throws {
  let fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
  guard fd >= 0 else { throw NoTestFile(path: path, number: errno) }
  defer { close(fd) }
  let bytes = Array(text.utf8)
  guard bytes.withUnsafeBytes({ write(fd, $0.baseAddress, $0.count) }) == bytes.count, fchmod(fd, mode) == 0 else {
    throw NoTestFile(path: path, number: errno)
  }
}

struct NoTestFile: Error {
  let path: String
  let number: Int32
}
