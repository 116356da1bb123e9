import Files
import Surroundings

/// Bytes in chunks, from a file or from memory. May be iterated several times.
public struct BlobBytes: AsyncSequence, Sendable {
  public typealias Element = [UInt8]
  public typealias Failure = any Error

  /// Bytes that a chunk has at most.
  public static let chunkSize = 128 << 10

  enum Source: Sendable {
    case memory([UInt8])
    case file(String, Range<Int64>?)
  }

  let source: Source

  public init(bytes: [UInt8]) { source = .memory(bytes) }

  /// The bytes of a file, or those of a range of it.
  public init(file path: String, range: Range<Int64>? = nil) { source = .file(path, range) }

  public func makeAsyncIterator() -> Iterator {
    switch source {
    case .memory(let bytes): Iterator(rest: bytes[...])
    case .file(let path, let range):
      Iterator(path: path, offset: range?.lowerBound ?? 0, end: range?.upperBound ?? .max)
    }
  }

  public struct Iterator: AsyncIteratorProtocol {
    var rest: ArraySlice<UInt8> = []
    var path: String?
    var file: OpenFile?
    var offset: Int64 = 0
    var end: Int64 = 0

    public mutating func next(isolation actor: isolated (any Actor)?) async throws -> [UInt8]? {
      try Task.checkCancellation()
      guard let path else {
        let chunk = Array(rest.prefix(BlobBytes.chunkSize))
        rest = rest.dropFirst(chunk.count)
        return chunk.isEmpty ? nil : chunk
      }
      let (offset, opened) = (offset, file)
      let count = Int(Swift.min(end - offset, Int64(BlobBytes.chunkSize)))
      guard count > 0 else { return nil }
      let (open, chunk) = try await blocking {
        let open = try opened ?? OpenFile(reading: path)
        return (open, try open.read(count, at: offset))
      }
      file = open
      self.offset += Int64(chunk.count)
      return chunk.isEmpty ? nil : chunk
    }

    public mutating func next() async throws -> [UInt8]? { try await next(isolation: nil) }
  }
}
