import Digests
import Formats
public import Surroundings
import Synchronization

/// Blobs in memory, for tests and simulation.
public final class MemoryBlobStore: BlobStore {
  private let blobs = Mutex<[String: [UInt8]]>([:])
  private let surroundings: Surroundings

  public init(surroundings: Surroundings) { self.surroundings = surroundings }

  public func put<Chunks: AsyncSequence & Sendable>(_ chunks: Chunks, id: String?, limit: Int64?) async throws
    -> StoredBlob where Chunks.Element == [UInt8]
  {
    let id = id ?? surroundings.identifier()
    try BlobID.check(id)
    var bytes: [UInt8] = []
    for try await chunk in chunks {
      bytes += chunk
      if let limit, bytes.count > limit {
        throw DroverError(.tooLarge, "storing blob '\(id)': more than the \(limit) bytes that are allowed")
      }
    }
    var hasher = DigestHasher(Set(DigestAlgorithm.allCases))
    hasher.update(bytes)
    let size = Int64(bytes.count)
    blobs.withLock { [bytes] in $0[id] = bytes }
    return StoredBlob(id: id, size: size, digest: hasher.finish())
  }

  public func size(_ id: String) async throws -> Int64? {
    try BlobID.check(id)
    return blobs.withLock { $0[id].map { Int64($0.count) } }
  }

  public func read(_ id: String, range: Range<Int64>?) async throws -> BlobBytes {
    try BlobID.check(id)
    guard let bytes = blobs.withLock({ $0[id] }) else {
      throw DroverError(.notFound, "reading blob '\(id)': there is no such blob")
    }
    guard let range else { return BlobBytes(bytes: bytes) }
    let cut = range.clamped(to: 0..<Int64(bytes.count))
    return BlobBytes(bytes: Array(bytes[Int(cut.lowerBound)..<Int(cut.upperBound)]))
  }

  public func file(_ id: String) async throws -> String? { nil }

  public func delete(_ id: String) async throws {
    try BlobID.check(id)
    blobs.withLock { _ = $0.removeValue(forKey: id) }
  }

  public func list() async throws -> [String] { blobs.withLock { $0.keys.sorted() } }
}
