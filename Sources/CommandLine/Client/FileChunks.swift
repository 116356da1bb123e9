import Formats
import Glibc
import NIOCore

/// A file as a stream of buffers, for uploads.
struct FileChunks: AsyncSequence, Sendable {
  typealias Element = ByteBuffer
  let path: String
  let size: Int64

  init(_ path: String) throws {
    var status = stat()
    guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw DroverError(.notFound, "uploading \(path): there is no such file")
    }
    self.path = path
    size = Int64(status.st_size)
  }

  func makeAsyncIterator() -> Iterator { Iterator(path: path) }

  struct Iterator: AsyncIteratorProtocol {
    let path: String
    private var file: OpenFile?

    init(path: String) { self.path = path }

    mutating func next() async throws -> ByteBuffer? {
      if file == nil { file = try OpenFile(path) }
      guard let bytes = try file?.read(upTo: 1 << 18), !bytes.isEmpty else { return nil }
      return ByteBuffer(bytes: bytes)
    }
  }

  /// Closes the file when nobody reads it any more.
  private final class OpenFile: Sendable {
    let descriptor: Int32
    let path: String

    init(_ path: String) throws {
      self.path = path
      descriptor = open(path, O_RDONLY | O_CLOEXEC)
      guard descriptor >= 0 else {
        throw systemError("opening \(path)")
      }
    }

    deinit { close(descriptor) }

    func read(upTo count: Int) throws -> [UInt8] {
      var bytes = [UInt8](repeating: 0, count: count)
      let got = Glibc.read(descriptor, &bytes, count)
      guard got >= 0 else { throw systemError("reading \(path)") }
      return Array(bytes.prefix(got))
    }
  }
}
