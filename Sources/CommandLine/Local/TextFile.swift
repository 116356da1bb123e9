import Formats
import Glibc

/// Files that are read whole: manifests, certificates.
enum TextFile {
  static let limit = 64 << 20

  static func read(_ path: String) throws -> String {
    guard let text = String(validating: try bytes(path), as: UTF8.self) else {
      throw DroverError(.invalid, "reading \(path): it is not UTF-8 text")
    }
    return text
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    let descriptor = path == "-" ? 0 : open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw DroverError(
        errno == ENOENT ? .notFound : .failed, "reading \(path): \(systemErrorText(errno))")
    }
    defer { if descriptor != 0 { close(descriptor) } }
    var all: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = Glibc.read(descriptor, &chunk, chunk.count)
      guard count >= 0 else { throw systemError("reading \(path)") }
      guard count > 0 else { return all }
      all += chunk.prefix(count)
      guard all.count <= limit else { throw DroverError(.tooLarge, "reading \(path): larger than \(limit) bytes") }
    }
  }
}
