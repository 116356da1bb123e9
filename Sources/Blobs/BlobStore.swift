public import Digests
import Files
import Formats

/// Where large unstructured things are kept: archives of releases, packages, rendered jobs and logs, by id.
///
/// A blob is there whole or not at all, and is durable when `put` returns. Bytes travel in chunks; no blob is ever in
/// memory as a whole (but for the memory driver). Ids are UUIDs made by the store, or given by the caller
/// (``BlobID``).
public protocol BlobStore: Sendable {
  /// Stores what `chunks` gives.
  ///
  /// - Parameters:
  ///   - id: under which id; nil for a new one. A blob that has this id already is replaced.
  ///   - limit: the most bytes that are taken; nil for any number.
  /// - Throws: `tooLarge` beyond the limit; `failed` when the medium fails, full disks included; whatever `chunks`
  ///   throws. Nothing is left behind then.
  func put<Chunks: AsyncSequence & Sendable>(_ chunks: Chunks, id: String?, limit: Int64?) async throws -> StoredBlob
  where Chunks.Element == [UInt8]

  /// Bytes in it; nil when there is no such blob.
  func size(_ id: String) async throws -> Int64?

  /// Its bytes, all or those of a range that is cut to what is there. Throws `notFound` when there is no such blob.
  func read(_ id: String, range: Range<Int64>?) async throws -> BlobBytes

  /// The file that holds it, for those that can do more with a file than with chunks; nil when the driver has no files or
  /// no such blob. Only to be read, and it may go when the blob is deleted.
  func file(_ id: String) async throws -> String?

  /// Deletes it; it may be gone already.
  func delete(_ id: String) async throws

  /// The ids of all blobs, sorted.
  func list() async throws -> [String]
}

/// A blob that was stored.
public struct StoredBlob: Sendable, Hashable {
  public let id: String
  /// Bytes.
  public let size: Int64
  /// SHA-1, SHA-256 and SHA-512 of its bytes.
  public let digest: MultiDigest

  public init(id: String, size: Int64, digest: MultiDigest) {
    self.id = id
    self.size = size
    self.digest = digest
  }
}

extension BlobStore {
  /// Stores a copy of a file.
  public func put(file path: String, id: String? = nil) async throws -> StoredBlob {
    try await put(BlobBytes(file: path), id: id, limit: nil)
  }

  /// Stores these bytes.
  public func put(bytes: [UInt8], id: String? = nil) async throws -> StoredBlob {
    try await put(BlobBytes(bytes: bytes), id: id, limit: nil)
  }

  public func exists(_ id: String) async throws -> Bool { try await size(id) != nil }

  /// All of its bytes, for small blobs: throws `tooLarge` beyond `limit`.
  public func bytes(_ id: String, limit: Int) async throws -> [UInt8] {
    var all: [UInt8] = []
    for try await chunk in try await read(id, range: nil) {
      guard all.count + chunk.count <= limit else {
        throw DroverError(.tooLarge, "reading blob '\(id)' into memory: it is larger than \(limit) bytes")
      }
      all += chunk
    }
    return all
  }

  /// Copies it to a file, which appears whole or not at all.
  public func copy(_ id: String, to path: String, mode: UInt32 = 0o600) async throws {
    _ = try await FileSink.write(try await read(id, range: nil), to: path, mode: mode)
  }
}

/// The rule of blobs' ids.
public enum BlobID {
  /// Throws `invalid` unless `id` is 1 to 200 letters, digits, `-`, `_` and `.`, not beginning with `.`: it becomes part
  /// of paths and URLs.
  public static func check(_ id: String) throws {
    let allowed = id.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || byte == 0x2D || byte == 0x2E || byte == 0x5F
    }
    guard (1...200).contains(id.utf8.count), allowed, !id.hasPrefix(".") else {
      throw DroverError(
        .invalid,
        "'\(id)' cannot be a blob's id: 1 to 200 letters, digits, '-', '_' and '.' are allowed, not '.' at the start")
    }
  }

  /// The folder that a DAV blobstore keeps it in: the first two hexadecimal digits of the id's SHA-1
  /// (`reference/director.md F.3`).
  public static func folder(_ id: String) -> String { String(DigestHasher.hex(.sha1, id).prefix(2)) }
}
