import Digests
import Formats
import NIOCore
import Synchronization

/// The digests of what went by.
final class DigestTally: Sendable {
  private let hasher = Mutex(DigestHasher(Set(DigestAlgorithm.allCases)))

  var digest: MultiDigest { hasher.withLock { $0.finish() } }

  func begin() { hasher.withLock { $0 = DigestHasher(Set(DigestAlgorithm.allCases)) } }
  func add(_ bytes: [UInt8]) { hasher.withLock { $0.update(bytes) } }
}

/// The bytes of a file as a request's body, hashed as they go by.
struct HashedBytes: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  let path: String
  let size: Int64
  let tally: DigestTally

  func makeAsyncIterator() -> Iterator {
    tally.begin()
    return Iterator(bytes: BlobBytes(file: path, range: 0..<size).makeAsyncIterator(), tally: tally)
  }

  struct Iterator: AsyncIteratorProtocol {
    var bytes: BlobBytes.Iterator
    let tally: DigestTally

    mutating func next() async throws -> ByteBuffer? {
      guard let chunk = try await bytes.next() else { return nil }
      tally.add(chunk)
      return ByteBuffer(bytes: chunk)
    }
  }
}
