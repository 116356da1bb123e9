import Digests

/// A source that hashes what passes through it.
final class HashedSource {
  private let source: ByteSource
  private var hasher: DigestHasher

  init(_ source: @escaping ByteSource, _ algorithms: Set<DigestAlgorithm>) {
    self.source = source
    hasher = DigestHasher(algorithms)
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    let count = try source(buffer)
    hasher.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
    return count
  }

  /// The first bytes, fewer than `count` only when there are no more.
  func start(_ count: Int) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      let all = UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
      while filled < count {
        let read = try read(into: UnsafeMutableRawBufferPointer(rebasing: all[filled...]))
        if read == 0 { return }
        filled += read
      }
    }
  }

  var digest: MultiDigest { hasher.finish() }
}
