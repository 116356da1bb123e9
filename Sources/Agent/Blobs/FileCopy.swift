import Digests
import Files
import Formats
import Glibc

/// Copies files piece by piece, hashing them on the way.
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
    let (input, output) = (try OpenFile(reading: source), try OpenFile(writing: path, mode: mode))
    try input.forEachPiece(limit: Int(input.size())) { piece in
      try each(piece)
      try output.write(piece)
    }
    try output.setMode(mode)
  }

  /// Hands a file's content over piece by piece.
  static func read(_ path: String, _ each: (UnsafeRawBufferPointer) throws -> Void) throws {
    try OpenFile(reading: path).forEachPiece(each)
  }

  /// Writes over a file's content, keeping the file itself.
  static func overwrite(_ path: String, _ bytes: [UInt8]) throws {
    try OpenFile(writing: path, mode: nil).write(bytes)
  }
}
