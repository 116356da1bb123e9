import Digests
internal import Formats
internal import Glibc

/// A file that is open for reading, closed when it is let go.
final class OpenedFile {
  private let descriptor: Int32
  private let path: String

  init(_ path: String) throws {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open") }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  private func failure(_ what: String) -> DroverError {
    let reason = systemErrorText(errno)
    return DroverError(errno == ENOENT ? .notFound : .failed, "cannot \(what) \(path): \(reason)")
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    while true {
      let count = Glibc.read(descriptor, buffer.baseAddress, buffer.count)
      if count >= 0 { return count }
      if errno != EINTR { throw failure("read") }
    }
  }

  /// All of a file.
  ///
  /// - Throws: ``DroverError`` with code `too_large` when it is more than `limit` bytes.
  static func contents(_ path: String, atMost limit: Int = 32 << 20) throws -> [UInt8] {
    let file = try OpenedFile(path)
    var bytes: [UInt8] = []
    while bytes.count <= limit {
      let chunk = try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, filled in
        filled = try file.read(
          into: UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<(1 << 16)])))
      }
      if chunk.isEmpty { return bytes }
      bytes += chunk
    }
    throw DroverError(.tooLarge, "\(path): more than \(limit) bytes")
  }

  /// A digest of a file's content, hexadecimal.
  static func digest(_ path: String, _ algorithm: DigestAlgorithm) throws -> (size: Int, hex: String) {
    let file = try OpenedFile(path)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    defer { buffer.deallocate() }
    var hasher = DigestHasher([algorithm])
    var size = 0
    while true {
      let count = try file.read(into: buffer)
      if count == 0 { return (size, hasher.finish().pieces.first?.hex ?? "") }
      hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
      size += count
    }
  }

  /// Copies a file; the copy appears under its name whole.
  static func copy(_ source: String, to path: String) throws {
    let file = try OpenedFile(source)
    let partial = "\(path).\(getpid()).partial"
    func failure() -> DroverError {
      systemError("cannot write \(path)")
    }
    guard let target = fopen(partial, "wxe") else { throw failure() }
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
    defer { buffer.deallocate() }
    do {
      while true {
        let count = try file.read(into: buffer)
        if count == 0 { break }
        guard fwrite(buffer.baseAddress, 1, count, target) == count else { throw failure() }
      }
      guard fflush(target) == 0, rename(partial, path) == 0 else { throw failure() }
      fclose(target)
    } catch {
      fclose(target)
      unlink(partial)
      throw error
    }
  }
}
