internal import CZlib
internal import Formats

/// Compresses with gzip. The same bytes in give the same bytes out: no name, no time.
final class GzipOutput {
  typealias Sink = (UnsafeRawBufferPointer) throws -> Void

  private let sink: Sink
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)

  init(level: Int, sink: @escaping Sink) throws {
    self.sink = sink
    stream.initialize(to: z_stream())
    let result = deflateInit2_(
      stream, Int32(level), Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
      Int32(MemoryLayout<z_stream>.size))
    guard result == Z_OK else { throw DroverError(.invalid, "gzip level \(level): expected 0 to 9") }
  }

  deinit {
    deflateEnd(stream)
    stream.deallocate()
    buffer.deallocate()
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: rest.prefix(1 << 30))
      stream.pointee.next_in = UnsafeMutablePointer(mutating: part.baseAddress?.assumingMemoryBound(to: Bytef.self))
      stream.pointee.avail_in = UInt32(part.count)
      while stream.pointee.avail_in > 0 { try step(Z_NO_FLUSH) }
      rest = rest.dropFirst(part.count)
    }
  }

  func finish() throws {
    stream.pointee.avail_in = 0
    while try step(Z_FINISH) != Z_STREAM_END {}
  }

  @discardableResult
  private func step(_ flush: Int32) throws -> Int32 {
    stream.pointee.next_out = buffer.baseAddress?.assumingMemoryBound(to: Bytef.self)
    stream.pointee.avail_out = UInt32(buffer.count)
    let result = deflate(stream, flush)
    guard result != Z_STREAM_ERROR else { throw DroverError(.failed, "zlib cannot compress") }
    let count = buffer.count - Int(stream.pointee.avail_out)
    if count > 0 { try sink(UnsafeRawBufferPointer(rebasing: buffer[..<count])) }
    return result
  }
}
