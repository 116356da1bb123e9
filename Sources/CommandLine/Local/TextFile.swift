import Files
import Formats
import Glibc

/// Files that are read whole: manifests, certificates; `-` is standard input.
enum TextFile {
  static func read(_ path: String) throws -> String {
    guard let text = String(validating: try bytes(path), as: UTF8.self) else {
      throw DroverError(.invalid, "reading '\(path)': it is not UTF-8 text")
    }
    return text
  }

  static func bytes(_ path: String) throws -> [UInt8] {
    guard path == "-" else { return try Files.read(path) }
    let copy = dup(STDIN_FILENO)
    guard copy >= 0 else { throw systemError("reading standard input") }
    return try OpenFile("standard input", copy).readAll()
  }
}
