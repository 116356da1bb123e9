internal import Archives
public import Digests
internal import Files

/// A file that was written while it was hashed.
public struct HashedFile: Sendable, Hashable {
  /// Absolute.
  public let path: String
  /// Bytes.
  public let size: Int
  /// With SHA-1, SHA-256 and SHA-512.
  public let digest: MultiDigest
}

extension HashedFile {
  /// Writes the content of a reader's current entry into a new file.
  static func writing(_ reader: ArchiveReader, to path: String) throws -> HashedFile {
    let file = try OpenFile(creating: path, mode: 0o600)
    var hasher = DigestHasher(Set(DigestAlgorithm.allCases))
    var size = 0
    while let chunk = try reader.readChunk(atMost: 1 << 17) {
      hasher.update(chunk)
      size += chunk.count
      try file.write(chunk)
    }
    return HashedFile(path: path, size: size, digest: hasher.finish())
  }

  /// The size of a file that is there, and a digest of its content, hexadecimal.
  static func hash(_ path: String, _ algorithm: DigestAlgorithm) throws -> (size: Int, hex: String) {
    var hasher = DigestHasher([algorithm])
    var size = 0
    try OpenFile(reading: path).forEachPiece { piece in
      hasher.update(piece)
      size += piece.count
    }
    return (size, hasher.finish().pieces.first?.hex ?? "")
  }
}
