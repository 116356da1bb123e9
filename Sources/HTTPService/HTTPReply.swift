import Files
public import Formats
import NIOCore
import NIOHTTP1
import Surroundings

/// An answer: a status with bytes, or with a file that is sent piece by piece.
public struct HTTPReply: Sendable {
  private enum Content: Sendable {
    case bytes([UInt8])
    case file(OpenFile, size: Int64)
  }

  public var status: Int
  private var headers: [(name: String, value: String)] = []
  private var content: Content

  public init(_ status: Int, _ bytes: [UInt8] = [], type: String? = nil) {
    self.status = status
    content = .bytes(bytes)
    if let type { headers.append(("Content-Type", type)) }
  }

  public static func text(_ status: Int, _ text: String) -> HTTPReply {
    HTTPReply(status, Array(text.utf8), type: "text/plain; charset=utf-8")
  }

  public static func json(_ status: Int, _ value: Value) -> HTTPReply {
    HTTPReply(status, JSON.bytes(value), type: "application/json")
  }

  /// - Throws: when the file cannot be opened.
  public static func file(_ path: String) async throws -> HTTPReply {
    let (file, size) = try await blocking {
      let file = try OpenFile(reading: path)
      return (file, try file.size())
    }
    var reply = HTTPReply(200, type: "application/octet-stream")
    reply.content = .file(file, size: size)
    return reply
  }

  /// With one more field.
  public func with(_ name: String, _ value: String) -> HTTPReply {
    var reply = self
    reply.headers.append((name, value))
    return reply
  }

  func send(
    for request: HTTPRequestHead, keepAlive: Bool, _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
  ) async throws {
    var head = HTTPResponseHead(version: .http1_1, status: HTTPResponseStatus(statusCode: status))
    for (name, value) in headers { head.headers.add(name: name, value: value) }
    switch content {
    case .bytes(let bytes): head.headers.add(name: "Content-Length", value: "\(bytes.count)")
    case .file(_, let size): head.headers.add(name: "Content-Length", value: "\(size)")
    }
    if !keepAlive { head.headers.add(name: "Connection", value: "close") }
    try await outbound.write(.head(head))
    if request.method != .HEAD {
      switch content {
      case .bytes(let bytes): try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
      case .file(let file, let size): try await Self.send(file, size, outbound)
      }
    }
    try await outbound.write(.end(nil))
  }

  private static func send(
    _ file: OpenFile, _ size: Int64, _ outbound: NIOAsyncChannelOutboundWriter<HTTPServerResponsePart>
  ) async throws {
    var sent: Int64 = 0
    while sent < size {
      let count = Int(min(size - sent, 256 << 10))
      let offset = sent
      let bytes = try await blocking { try file.read(count, at: offset) }
      guard !bytes.isEmpty else { throw DroverError(.failed, "a file became shorter while it was sent") }
      try await outbound.write(.body(.byteBuffer(ByteBuffer(bytes: bytes))))
      sent += Int64(bytes.count)
    }
  }
}
