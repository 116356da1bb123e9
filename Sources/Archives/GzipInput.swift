internal import CZlib
internal import Formats

/// Where bytes come from: fills the buffer as far as it can, at least one byte; 0 at the end.
public typealias ByteSource = (UnsafeMutableRawBufferPointer) throws -> Int

/// Decompresses gzip from a source, also several members one after the other.
final class GzipInput {
  private let source: ByteSource
  private let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
  private var sourceEnded = false
  private var memberEnded = false
  private var ended = false

  /// - Parameter start: Bytes that were already taken from the source.
  init(start: [UInt8], source: @escaping ByteSource) throws {
    self.source = source
    stream.initialize(to: z_stream())
    guard inflateInit2_(stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw DroverError(.failed, "zlib cannot start to decompress")
    }
    UnsafeMutableRawBufferPointer(rebasing: buffer[..<start.count]).copyBytes(from: start)
    offer(start.count)
  }

  deinit {
    inflateEnd(stream)
    stream.deallocate()
    buffer.deallocate()
  }

  private func offer(_ count: Int) {
    stream.pointee.next_in = buffer.baseAddress?.assumingMemoryBound(to: Bytef.self)
    stream.pointee.avail_in = UInt32(count)
  }

  private func refill() throws {
    guard stream.pointee.avail_in == 0, !sourceEnded else { return }
    let count = try source(buffer)
    sourceEnded = count == 0
    offer(count)
  }

  func read(into target: UnsafeMutableRawBufferPointer) throws -> Int {
    guard !ended, !target.isEmpty else { return 0 }
    let capacity = min(target.count, 1 << 30)
    stream.pointee.next_out = target.baseAddress?.assumingMemoryBound(to: Bytef.self)
    stream.pointee.avail_out = UInt32(capacity)
    while Int(stream.pointee.avail_out) == capacity {
      try refill()
      if memberEnded, try !startNextMember() {
        ended = true
        break
      }
      switch inflate(stream, Z_NO_FLUSH) {
      case Z_OK: break
      case Z_STREAM_END: memberEnded = true
      case Z_BUF_ERROR where sourceEnded && stream.pointee.avail_in == 0:
        throw DroverError(.corrupt, "the gzip data ends too early")
      case Z_BUF_ERROR: break
      default:
        let reason = stream.pointee.msg.map { String(cString: $0) } ?? "unknown damage"
        throw DroverError(.corrupt, "the gzip data is damaged: \(reason)")
      }
    }
    return capacity - Int(stream.pointee.avail_out)
  }

  /// Whether another gzip member follows; zeros and anything else that is no gzip end the stream, as with gzip itself.
  private func startNextMember() throws -> Bool {
    try refill()
    guard stream.pointee.avail_in > 0, let next = stream.pointee.next_in, next.pointee == 0x1F else { return false }
    guard inflateReset2(stream, 15 + 16) == Z_OK else { throw DroverError(.failed, "zlib cannot go on") }
    memberEnded = false
    return true
  }
}
