import Digests
import Files
import Formats
import Surroundings

/// Writes a file that appears under its name whole and synced, or not at all.
enum FileSink {
  /// What was written.
  struct Written: Sendable {
    /// Bytes.
    let size: Int64
    /// SHA-1, SHA-256 and SHA-512.
    let digest: MultiDigest
  }

  /// Writes what `chunks` gives.
  ///
  /// - Parameters:
  ///   - workplace: the folder in which it is written, on the same file system; that of `path` when nil.
  ///   - limit: the most bytes that are taken.
  ///   - check: looks at the digests before the file appears; what it throws keeps it from appearing.
  static func write<Chunks: AsyncSequence & Sendable>(
    _ chunks: Chunks, to path: String, workplace: String? = nil, mode: UInt32, limit: Int64? = nil,
    check: @Sendable (Written) throws -> Void = { _ in }
  ) async throws -> Written where Chunks.Element == [UInt8] {
    var hasher = DigestHasher(Set(DigestAlgorithm.allCases))
    var size: Int64 = 0
    let new = try await blocking { try NewFile(path, mode: mode, workplace: workplace) }
    for try await chunk in chunks {
      size += Int64(chunk.count)
      if let limit, size > limit {
        throw DroverError(.tooLarge, "writing '\(path)': more than the \(limit) bytes that are allowed")
      }
      let before = hasher
      hasher = try await blocking {
        try new.file.write(chunk)
        var hasher = before
        hasher.update(chunk)
        return hasher
      }
    }
    let written = Written(size: size, digest: hasher.finish())
    try check(written)
    try await blocking {
      try new.file.sync()
      try new.replace()
      try Files.syncFolder(of: path)
    }
    return written
  }
}
