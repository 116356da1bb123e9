import Formats
import Glibc

/// Small files that are whole or absent, whenever the process dies.
enum StoredFile {
  /// Writes a new file beside the path and moves it into place, both synced.
  static func write(_ text: String, to path: String, mode: mode_t) throws {
    let temporary = "\(path).new"
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard file >= 0 else { throw failure("creating \(temporary)") }
    defer { close(file) }
    fchmod(file, mode)
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw failure("writing \(temporary)") }
      bytes = bytes.dropFirst(count)
    }
    guard fsync(file) == 0 else { throw failure("syncing \(temporary)") }
    guard rename(temporary, path) == 0 else { throw failure("moving \(temporary) to \(path)") }
    try syncDirectory(of: path)
  }

  /// The text of a file, or nil if there is none.
  static func read(_ path: String) throws -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 && errno == ENOENT { return nil }
    guard file >= 0 else { throw failure("opening \(path)") }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw failure("reading \(path)") }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += chunk[..<count]
    }
  }

  /// Makes a directory and those above it, if missing.
  static func makeDirectory(_ path: String) throws {
    if mkdir(path, 0o755) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw failure("making directory \(path)")
    }
    try makeDirectory(String(path[..<slash]))
    guard mkdir(path, 0o755) == 0 || errno == EEXIST else { throw failure("making directory \(path)") }
  }

  /// The names in a directory, sorted.
  static func names(in directory: String) throws -> [String] {
    guard let stream = opendir(directory) else {
      if errno == ENOENT { return [] }
      throw failure("listing \(directory)")
    }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) { pointer in
          pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    return names.sorted()
  }

  private static func syncDirectory(of path: String) throws {
    let directory = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    let descriptor = open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("opening \(directory)") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("syncing \(directory)") }
  }

  private static func failure(_ doing: String) -> DroverError {
    DroverError(.failed, "\(doing): \(String(cString: strerror(errno)))")
  }
}
