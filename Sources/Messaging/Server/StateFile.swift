import Formats
import Glibc

/// Small files of ours that are whole or absent, whenever the process dies.
enum StateFile {
  /// Writes a new file beside the path and moves it into place, both synced.
  static func write(_ text: String, to path: String, mode: mode_t = 0o600) throws {
    let temporary = "\(path).new"
    unlink(temporary)
    let file = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode)
    guard file >= 0 else { throw failure("creating \(temporary)") }
    defer { close(file) }
    // What the umask has taken away.
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
    let directory = open(path.lastIndex(of: "/").map { String(path[..<$0]) } ?? ".", O_RDONLY | O_CLOEXEC)
    guard directory >= 0 else { throw failure("opening the directory of \(path)") }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw failure("syncing the directory of \(path)") }
  }

  /// The bytes of a file from an offset on, at most that many; nil if there is no file.
  static func read(_ path: String, from offset: Int = 0, atMost limit: Int = 64 << 20) throws -> [UInt8]? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 && (errno == ENOENT || errno == ENOTDIR) { return nil }
    guard file >= 0 else { throw failure("opening \(path)") }
    defer { close(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16384)
    while bytes.count < limit {
      let wanted = min(chunk.count, limit - bytes.count)
      let count = chunk.withUnsafeMutableBytes { pread(file, $0.baseAddress, wanted, offset + bytes.count) }
      if count < 0 && errno == EINTR { continue }
      // A process that is gone can't be read in /proc.
      if count < 0 && errno == ESRCH { return nil }
      guard count >= 0 else { throw failure("reading \(path)") }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    return bytes
  }

  static func text(_ path: String) throws -> String? { try read(path).map { String(decoding: $0, as: UTF8.self) } }

  /// How many bytes a file holds; none if there is no file.
  static func size(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_size) : 0
  }

  static func makeDirectory(_ path: String) throws {
    if mkdir(path, 0o700) == 0 || errno == EEXIST { return }
    guard errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
      throw failure("making directory \(path)")
    }
    try makeDirectory(String(path[..<slash]))
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw failure("making directory \(path)") }
  }

  private static func failure(_ doing: String) -> DroverError {
    DroverError(.failed, "\(doing): \(String(cString: strerror(errno)))")
  }
}
