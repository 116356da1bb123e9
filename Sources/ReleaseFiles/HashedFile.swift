internal import Archives
public import Digests
import Formats
internal import Glibc

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
    let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("create", path) }
    defer { close(descriptor) }
    var hasher = DigestHasher(Set(DigestAlgorithm.allCases))
    var size = 0
    while let chunk = try reader.readChunk(atMost: 1 << 17) {
      hasher.update(chunk)
      size += chunk.count
      try chunk.withUnsafeBytes { bytes in
        var rest = bytes[...]
        while !rest.isEmpty {
          let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
          if count >= 0 {
            rest = rest.dropFirst(count)
          } else if errno != EINTR {
            throw failure("write", path)
          }
        }
      }
    }
    return HashedFile(path: path, size: size, digest: hasher.finish())
  }

  private static func failure(_ what: String, _ path: String) -> DroverError {
    systemError("cannot \(what) \(path)")
  }
}
