import Formats
import Glibc

/// An open file, closed when the last one who uses it lets go.
public final class OpenFile: Sendable {
  public let path: String
  /// For system calls and for processes that get it; open as long as this is held.
  public let descriptor: Int32

  /// - Parameter descriptor: closed with it.
  public init(_ path: String, _ descriptor: Int32) {
    self.path = path
    self.descriptor = descriptor
  }

  private convenience init(_ path: String, _ flags: Int32, mode: UInt32, doing: String) throws {
    let descriptor = open(path, flags | O_CLOEXEC, mode)
    if descriptor < 0 { throw systemError("\(doing) '\(path)'") }
    self.init(path, descriptor)
  }

  /// Throws `notFound` when there is no such file. Folders can be opened too, to be synced.
  public convenience init(reading path: String) throws {
    try self.init(path, O_RDONLY, mode: 0, doing: "opening")
  }

  /// Throws `notFound` when there is no such folder.
  ///
  /// - Parameter followsLinks: whether it may be a link to one.
  public convenience init(folder path: String, followsLinks: Bool = true) throws {
    try self.init(path, O_RDONLY | O_DIRECTORY | (followsLinks ? 0 : O_NOFOLLOW), mode: 0, doing: "opening")
  }

  /// A new file, which must not exist.
  public convenience init(creating path: String, mode: UInt32) throws {
    try self.init(path, O_WRONLY | O_CREAT | O_EXCL, mode: mode, doing: "creating")
  }

  /// A file to be written anew, whatever was in it.
  ///
  /// - Parameter mode: of one that is made because there is none; nil when it must be there.
  public convenience init(writing path: String, mode: UInt32?) throws {
    let (flag, doing) = mode == nil ? (0, "opening") : (O_CREAT, "creating")
    try self.init(path, O_WRONLY | O_TRUNC | flag, mode: mode ?? 0, doing: doing)
  }

  /// A file to append to, made when it is not there.
  public convenience init(appending path: String, mode: UInt32) throws {
    try self.init(path, O_WRONLY | O_CREAT | O_APPEND, mode: mode, doing: "opening")
  }

  /// A file without a name; nil when the file system knows none.
  ///
  /// - Parameter path: what errors call it.
  convenience init?(unnamedIn folder: String, mode: UInt32, for path: String) throws {
    // O_TMPFILE, whose macro is no plain number.
    let descriptor = open(folder, O_WRONLY | O_DIRECTORY | __O_TMPFILE | O_CLOEXEC, mode)
    if descriptor < 0 {
      if [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) { return nil }
      throw systemError("creating '\(path)'")
    }
    self.init(path, descriptor)
    // Its name is given to it by way of /proc.
    if !Self.hasPaths { return nil }
  }

  deinit { close(descriptor) }

  private static let hasPaths = Files.isVisible("/proc/self/fd")

  /// A path that means this very file, whatever names it has.
  var ownPath: String { "/proc/self/fd/\(descriptor)" }

  /// Bytes in it.
  public func size() throws -> Int64 {
    var status = stat()
    if fstat(descriptor, &status) != 0 { throw systemError("looking at '\(path)'") }
    return Int64(status.st_size)
  }

  /// Up to `count` bytes at `offset`; none at the end.
  public func read(_ count: Int, at offset: Int64) throws -> [UInt8] {
    try filled(count) { pread(descriptor, $0, count, off_t(offset)) }
  }

  /// Up to `count` bytes from where the file's position is, which also pipes have; none at the end.
  public func read(_ count: Int) throws -> [UInt8] {
    try filled(count) { Glibc.read(descriptor, $0, count) }
  }

  /// All that is left from where the file's position is, which must not be more than `limit` bytes.
  public func readAll(limit: Int = 64 << 20) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      let piece = try read(64 << 10)
      if piece.isEmpty { return bytes }
      bytes += piece
    }
    throw DroverError(.tooLarge, "reading '\(path)': more than \(limit) bytes")
  }

  /// Reads into a buffer from where the file's position is. Returns how many bytes; 0 at the end.
  public func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw systemError("reading '\(path)'") }
    }
  }

  /// Hands over what is left from where the file's position is, piece by piece.
  ///
  /// - Parameter limit: bytes that are handed over at most.
  public func forEachPiece(
    limit: Int = .max, _ body: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)
    defer { buffer.deallocate() }
    var left = limit
    while left > 0 {
      let count = try read(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(left)))
      if count == 0 { return }
      left -= count
      try body(UnsafeRawBufferPointer(rebasing: buffer.prefix(count)))
    }
  }

  private func filled(_ count: Int, _ read: (UnsafeMutablePointer<UInt8>?) -> Int) throws -> [UInt8] {
    var result = 0
    let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
      repeat { result = read(buffer.baseAddress) } while result < 0 && errno == EINTR
      used = max(result, 0)
    }
    if result < 0 { throw systemError("reading '\(path)'") }
    return bytes
  }

  /// Writes all of it where the file's position is.
  public func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes(write) }

  /// Writes all of it where the file's position is.
  public func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if count < 0 {
        if errno == EINTR { continue }
        throw systemError("writing '\(path)'")
      }
      rest = rest.dropFirst(count)
    }
  }

  /// Cuts it, or fills it up with zeros, to that many bytes.
  public func truncate(to size: Int64) throws {
    if ftruncate(descriptor, off_t(size)) != 0 { throw systemError("cutting '\(path)' to \(size) bytes") }
  }

  /// Sets its permissions, whatever the umask is.
  public func setMode(_ mode: UInt32) throws {
    if fchmod(descriptor, mode) != 0 { throw systemError("setting the mode of '\(path)'") }
  }

  /// Makes what was written survive a loss of power.
  public func sync() throws {
    if fsync(descriptor) != 0 { throw systemError("syncing '\(path)'") }
  }
}
