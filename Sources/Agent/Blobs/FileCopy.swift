import Digests
import Files
import Formats
import Glibc

/// Copies files chunk by chunk, hashing them on the way.
enum FileCopy {
  /// Copies a file to a path that has none yet.
  ///
  /// - Returns: SHA-1, SHA-256 and SHA-512 of what was copied, or those that `digest` needs.
  @discardableResult
  static func copy(_ source: String, to path: String, mode: UInt32 = 0o600) throws -> MultiDigest {
    var hasher = DigestHasher(Set(DigestAlgorithm.allCases))
    try copy(source, to: path, mode: mode) { hasher.update($0) }
    return hasher.finish()
  }

  static func copy(_ source: String, to path: String, verifying digest: MultiDigest) throws {
    var hasher = digest.hasher()
    try copy(source, to: path, mode: 0o600) { hasher.update($0) }
    try digest.verify(hasher.finish())
  }

  /// Copies what is there now: a file that grows meanwhile is cut, one that shrinks ends early.
  static func copy(
    _ source: String, to path: String, mode: UInt32, _ each: (UnsafeRawBufferPointer) throws -> Void
  ) throws {
    let input = open(source, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw systemError("opening \(source)") }
    defer { close(input) }
    let output = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard output >= 0 else { throw systemError("creating \(path)") }
    defer { close(output) }
    var left = try Files.size(source) ?? 0
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while left > 0 {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(input, $0.baseAddress, min(left, $0.count)) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw systemError("reading \(source)") }
      if count == 0 { break }
      left -= count
      try chunk.withUnsafeBytes { bytes in
        let part = UnsafeRawBufferPointer(rebasing: bytes[..<count])
        try each(part)
        try write(part, to: output, path)
      }
    }
    guard fchmod(output, mode) == 0 else { throw systemError("setting the mode of \(path)") }
  }

  fileprivate static func write(_ bytes: UnsafeRawBufferPointer, to output: Int32, _ path: String) throws {
    var written = 0
    while written < bytes.count {
      let count = Glibc.write(output, bytes.baseAddress?.advanced(by: written), bytes.count - written)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw systemError("writing \(path)") }
      written += count
    }
  }
}

extension FileCopy {
  /// Writes over a file's content, keeping the file itself.
  static func overwrite(_ path: String, _ bytes: [UInt8]) throws {
    let output = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC)
    guard output >= 0 else { throw systemError("writing \(path)") }
    defer { close(output) }
    try bytes.withUnsafeBytes { try write($0, to: output, path) }
  }
}

extension FileCopy {
  /// Hands a file's content over piece by piece.
  static func read(_ path: String, _ each: (UnsafeRawBufferPointer) throws -> Void) throws {
    let input = open(path, O_RDONLY | O_CLOEXEC)
    guard input >= 0 else { throw systemError("opening \(path)") }
    defer { close(input) }
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(input, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw systemError("reading \(path)") }
      if count == 0 { return }
      try chunk.withUnsafeBytes { try each(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
    }
  }
}
