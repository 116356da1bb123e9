import Formats
import Glibc

/// Writes a file that appears under its name whole and synced, or not at all.
enum FileSink {
  struct Written: Sendable {
    let size: Int64
    let digest: MultiDigest
  }

  /// - Parameters:
  ///   - temporary: where it is written first, on the same file system; beside `path` when nil.
  ///   - limit: the most bytes that are taken.
  ///   - check: looks at the digests before the file appears; what it throws keeps it from appearing.
  static func write<Chunks: AsyncSequence & Sendable>(
    _ chunks: Chunks, to path: String, temporary: String? = nil, mode: UInt32, limit: Int64? = nil,
    check: @Sendable (Written) throws -> Void = { _ in }
  ) async throws -> Written where Chunks.Element == [UInt8] {
    let temporary = temporary ?? "\(path).part-\(getpid())-\(UInt64.random(in: .min ... .max))"
    var hasher = DigestHasher(Set(DigestAlgorithm.allCases))
    var size: Int64 = 0
    let file = try await onDisk { try OpenFile(creating: temporary, mode: mode) }
    do {
      for try await chunk in chunks {
        size += Int64(chunk.count)
        if let limit, size > limit {
          throw DroverError(.tooLarge, "writing '\(path)': more than the \(limit) bytes that are allowed")
        }
        let before = hasher
        hasher = try await onDisk {
          try file.write(chunk)
          var hasher = before
          hasher.update(chunk)
          return hasher
        }
      }
      let written = Written(size: size, digest: hasher.finish())
      try check(written)
      try await onDisk {
        try file.sync()
        if rename(temporary, path) != 0 { throw systemError("renaming '\(temporary)' to '\(path)'") }
        try syncFolder(of: path)
      }
      return written
    } catch {
      unlink(temporary)
      throw error
    }
  }

  /// Makes what was created, renamed or removed in the folder of `path` survive a loss of power.
  static func syncFolder(of path: String) throws {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    try OpenFile(reading: folder.isEmpty ? "/" : folder).sync()
  }
}
