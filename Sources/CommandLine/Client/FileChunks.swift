import Files
import Formats
import NIOCore

/// A file as a stream of buffers, for uploads.
struct FileChunks: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  let path: String
  let size: Int64

  init(_ path: String) throws {
    guard let size = try Files.size(path) else {
      throw DroverError(.notFound, "uploading \(path): there is no such file")
    }
    self.path = path
    self.size = Int64(size)
  }

  func makeAsyncIterator() -> Iterator { Iterator(path: path) }

  struct Iterator: AsyncIteratorProtocol {
    let path: String
    private var file: OpenFile?

    init(path: String) { self.path = path }

    mutating func next() async throws -> ByteBuffer? {
      if file == nil { file = try OpenFile(reading: path) }
      guard let bytes = try file?.read(1 << 18), !bytes.isEmpty else { return nil }
      return ByteBuffer(bytes: bytes)
    }
  }
}
