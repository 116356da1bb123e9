import Formats
import Glibc

/// The few operations on small files that this floor needs, with errors that name the path.
///
/// What says that something happened (an exit status, a pid, a supervisor's memory) is written so that it is there
/// whole or not at all, also after a power cut.
public enum Files {
  /// The whole file, which must not be longer than `limit` bytes.
  public static func read(_ path: String, limit: Int = 64 << 20) throws -> [UInt8] {
    let fd = try openDescriptor(path, O_RDONLY)
    defer { close(fd) }
    return try readAll(fd, path, limit: limit)
  }

  /// The whole file as text, or nil when there is none.
  public static func textIfPresent(_ path: String) -> String? {
    (try? read(path)).map { String(decoding: $0, as: UTF8.self) }
  }

  /// At most `maximum` bytes from `offset` on; fewer at the end of the file, none when there is no file.
  public static func read(_ path: String, offset: Int, maximum: Int) throws -> [UInt8] {
    let fd = open(path, O_RDONLY | O_CLOEXEC)
    if fd < 0, errno == ENOENT { return [] }
    guard fd >= 0 else { throw DroverError.system(errno, "reading \(path)") }
    defer { close(fd) }
    var bytes = [UInt8](repeating: 0, count: max(0, maximum))
    var count = 0
    while count < bytes.count {
      let read = bytes.withUnsafeMutableBytes { buffer in
        pread(fd, buffer.baseAddress?.advanced(by: count), buffer.count - count, off_t(offset + count))
      }
      if read < 0, errno == EINTR { continue }
      guard read >= 0 else { throw DroverError.system(errno, "reading \(path)") }
      if read == 0 { break }
      count += read
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  /// The size in bytes, or nil when there is no such file.
  public static func size(_ path: String) -> Int? { information(path).map { Int($0.st_size) } }

  public static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Replaces the file: written beside it, synced, renamed, and the folder synced.
  ///
  /// - Parameter isDurable: when it need not outlive a power cut, nothing is synced; all processes see the old file or the
  ///   new one all the same.
  public static func replace(
    _ path: String, with bytes: [UInt8], mode: UInt32 = 0o600, isDurable: Bool = true
  ) throws {
    let temporary = "\(path).new.\(getpid()).\(UInt32.random(in: .min ... .max))"
    do {
      try writeNew(temporary, bytes, mode: mode, isDurable: isDurable)
      guard rename(temporary, path) == 0 else { throw DroverError.system(errno, "replacing \(path)") }
    } catch {
      unlink(temporary)
      throw error
    }
    if isDurable { try syncFolder(of: path) }
  }

  /// Writes the file unless there is one; never leaves half a file. Returns whether it was this call that made it.
  public static func create(_ path: String, with bytes: [UInt8], mode: UInt32 = 0o600) throws -> Bool {
    let temporary = "\(path).new.\(getpid()).\(UInt32.random(in: .min ... .max))"
    defer { unlink(temporary) }
    try writeNew(temporary, bytes, mode: mode)
    if link(temporary, path) != 0 {
      if errno == EEXIST { return false }
      throw DroverError.system(errno, "creating \(path)")
    }
    try syncFolder(of: path)
    return true
  }

  /// Makes a folder and those above it; existing ones keep their mode.
  public static func makeFolder(_ path: String, mode: UInt32 = 0o755) throws {
    if mkdir(path, mode) == 0 || (errno == EEXIST && isFolder(path)) { return }
    guard errno == ENOENT, let parent = folder(of: path) else {
      throw DroverError.system(errno, "making the folder \(path)")
    }
    try makeFolder(parent, mode: mode)
    if mkdir(path, mode) == 0 || (errno == EEXIST && isFolder(path)) { return }
    throw DroverError.system(errno, "making the folder \(path)")
  }

  /// The names in a folder, sorted; none when there is no such folder.
  public static func names(in path: String) throws -> [String] {
    guard let folder = opendir(path) else {
      if errno == ENOENT { return [] }
      throw DroverError.system(errno, "listing \(path)")
    }
    defer { closedir(folder) }
    var names: [String] = []
    while let entry = readdir(folder) {
      let name = withUnsafePointer(to: entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != "." && name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  /// Removes a file, or a folder with all in it, not following links; nothing there is fine.
  public static func remove(_ path: String) throws {
    if unlink(path) == 0 || errno == ENOENT { return }
    guard errno == EISDIR || errno == EPERM, isFolder(path) else { throw DroverError.system(errno, "removing \(path)") }
    for name in try names(in: path) { try remove("\(path)/\(name)") }
    if rmdir(path) != 0, errno != ENOENT { throw DroverError.system(errno, "removing \(path)") }
  }

  static func openDescriptor(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) throws -> Int32 {
    let fd = open(path, flags | O_CLOEXEC, mode)
    guard fd >= 0 else { throw DroverError.system(errno, "opening \(path)") }
    return fd
  }

  static func information(_ path: String) -> stat? {
    var information = stat()
    return stat(path, &information) == 0 ? information : nil
  }

  static func isFolder(_ path: String) -> Bool {
    var information = stat()
    return lstat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFDIR
  }

  static func folder(of path: String) -> String? {
    guard let slash = path.lastIndex(of: "/") else { return nil }
    let folder = String(path[..<slash])
    return folder.isEmpty ? nil : folder
  }

  private static func readAll(_ fd: Int32, _ path: String, limit: Int) throws -> [UInt8] {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 16 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw DroverError.system(errno, "reading \(path)") }
      if count == 0 { return bytes }
      bytes += chunk.prefix(count)
      guard bytes.count <= limit else { throw DroverError(.tooLarge, "reading \(path): more than \(limit) bytes") }
    }
  }

  private static func writeNew(_ path: String, _ bytes: [UInt8], mode: UInt32, isDurable: Bool = true) throws {
    let fd = try openDescriptor(path, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
    defer { close(fd) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        write(fd, buffer.baseAddress?.advanced(by: written), buffer.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw DroverError.system(errno, "writing \(path)") }
      written += count
    }
    guard fchmod(fd, mode) == 0, !isDurable || fsync(fd) == 0 else {
      throw DroverError.system(errno, "writing \(path)")
    }
  }

  private static func syncFolder(of path: String) throws {
    let folder = folder(of: path) ?? "."
    let fd = try openDescriptor(folder, O_RDONLY | O_DIRECTORY)
    defer { close(fd) }
    guard fsync(fd) == 0 else { throw DroverError.system(errno, "syncing \(folder)") }
  }
}
