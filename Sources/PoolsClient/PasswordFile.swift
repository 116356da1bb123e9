import Files
import Formats
import Glibc

/// A password in a file, without the white space around it.
enum PasswordFile {
  static func read(_ path: String) throws -> String {
    guard var text = try Files.bytes(path, limit: 64 << 10)?[...] else {
      throw DroverError(.notFound, "open \(path): \(systemErrorText(ENOENT))")
    }
    while let last = text.last, last <= 0x20 { text.removeLast() }
    while let first = text.first, first <= 0x20 { text.removeFirst() }
    return String(decoding: text, as: UTF8.self)
  }
}
