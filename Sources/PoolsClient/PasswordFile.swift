import Formats
import Glibc

/// A password in a file, without the white space around it.
enum PasswordFile {
  static func read(_ path: String) throws -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DroverError(.notFound, "open \(path): \(systemErrorText(errno))")
    }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 64 << 10)
    let count = Glibc.read(descriptor, &bytes, bytes.count)
    guard count >= 0 else { throw systemError("read \(path)") }
    var text = bytes[..<count]
    while let last = text.last, last <= 0x20 { text.removeLast() }
    while let first = text.first, first <= 0x20 { text.removeFirst() }
    return String(decoding: text, as: UTF8.self)
  }
}
