import Formats
import NIOCore
import NIOHTTP1

/// The body of a request, read piece by piece by its handler.
public final class HTTPBody {
  private let parts: HTTPParts
  private var isAtEnd = false
  private var taken = 0
  private var owesContinue: Bool

  init(_ parts: HTTPParts, expectsContinue: Bool) {
    self.parts = parts
    owesContinue = expectsContinue
  }

  /// The next bytes, or nil at the end.
  ///
  /// - Throws: when the connection breaks, or the sender breaks off.
  public func next() async throws -> [UInt8]? {
    guard !isAtEnd else { return nil }
    if owesContinue {
      owesContinue = false
      try await parts.sendContinue()
    }
    guard let bytes = try await parts.nextBody() else {
      isAtEnd = true
      return nil
    }
    taken += bytes.readableBytes
    return Array(bytes.readableBytesView)
  }

  /// All of it.
  ///
  /// - Throws: ``DroverError`` with code `tooLarge` when it has more bytes.
  public func collect(limit: Int) async throws -> [UInt8] {
    var all: [UInt8] = []
    while let bytes = try await next() {
      guard all.count + bytes.count <= limit else {
        throw DroverError(.tooLarge, "the request has more than \(limit) bytes")
      }
      all += bytes
    }
    return all
  }

  /// A sender that waits for a word before it sends will not get it any more, and may or may not send.
  var mayBeSkipped: Bool { isAtEnd || !owesContinue }

  /// Reads a rest away that is not long; false when it is long.
  func skip() async throws -> Bool {
    let start = taken
    while try await next() != nil { if taken - start > 1 << 20 { return false } }
    return true
  }
}

/// What arrives on a connection, part by part.
final class HTTPParts {
  private var iterator: NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator
  private let outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>

  init(
    _ iterator: NIOAsyncChannelInboundStream<HTTPServerRequestPart>.AsyncIterator,
    _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
  ) {
    self.iterator = iterator
    self.outbound = outbound
  }

  func nextHead() async throws -> HTTPRequestHead? {
    while let part = try await iterator.next() { if case .head(let head) = part { return head } }
    return nil
  }

  func nextBody() async throws -> ByteBuffer? {
    switch try await iterator.next() {
    case .body(let bytes): return bytes
    case .end: return nil
    case .head, nil: throw DroverError(.unavailable, "the request broke off")
    }
  }

  func sendContinue() async throws {
    try await outbound.write(.head(HTTPResponseHead(version: .http1_1, status: .continue)))
  }
}
