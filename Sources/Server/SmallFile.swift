import Formats
import Glibc
import SystemPackage

/// Files of a few lines.
enum SmallFile {
  static func read(_ path: String) throws -> String {
    let file = try FileDescriptor.open(FilePath(path), .readOnly, options: [.closeOnExec])
    return try file.closeAfter {
      var bytes = [UInt8](repeating: 0, count: 1 << 16)
      let count = try bytes.withUnsafeMutableBytes { try file.read(into: $0) }
      return String(decoding: bytes.prefix(count), as: UTF8.self)
    }
  }

  /// Writes it whole or not at all.
  static func write(_ text: String, to path: String, mode: FilePermissions) throws {
    let partial = "\(path).new"
    do {
      let file = try FileDescriptor.open(
        FilePath(partial), .writeOnly, options: [.create, .truncate, .closeOnExec], permissions: mode)
      _ = try file.closeAfter { try file.writeAll(text.utf8) }
    } catch {
      throw DroverError(.failed, "writing \(path)", cause: error)
    }
    guard rename(partial, path) == 0 else {
      throw DroverError(.failed, "writing \(path): \(String(cString: strerror(errno)))")
    }
  }
}
