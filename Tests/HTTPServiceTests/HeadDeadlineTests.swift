import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import HTTPService

@Suite struct HeadDeadlineTests {
  /// A connection in a time of its own.
  private static func channel() throws -> EmbeddedChannel {
    let channel = EmbeddedChannel()
    let deadline = HeadDeadline(limit: .seconds(30))
    try channel.pipeline.syncOperations.addHandler(deadline)
    try channel.pipeline.syncOperations.configureHTTPServerPipeline(withErrorHandling: false)
    try channel.pipeline.syncOperations.addHandler(HeadDeadline.Watch(deadline))
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    return channel
  }

  private static func send(_ text: String, _ channel: EmbeddedChannel) {
    _ = try? channel.writeInbound(ByteBuffer(string: text))
  }

  @Test("whoever says nothing is given up after the limit")
  func silent() throws {
    let channel = try Self.channel()
    channel.embeddedEventLoop.advanceTime(by: .seconds(29))
    #expect(channel.isActive)
    channel.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(!channel.isActive)
  }

  @Test("fields that come byte by byte do not begin the time anew")
  func slow() throws {
    let channel = try Self.channel()
    Self.send("GET / HTTP/1.1\r\nX: ", channel)
    for _ in 0..<29 {
      channel.embeddedEventLoop.advanceTime(by: .seconds(1))
      Self.send("x", channel)
    }
    #expect(channel.isActive)
    channel.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(!channel.isActive)
  }

  @Test("a body, its answer and the pause before the next request have the time they need; the next fields have theirs")
  func patient() throws {
    let channel = try Self.channel()
    for _ in 0..<2 {
      Self.send("PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n", channel)
      channel.embeddedEventLoop.advanceTime(by: .seconds(20))
      Self.send("\r\na", channel)
      channel.embeddedEventLoop.advanceTime(by: .seconds(100))
      Self.send("b", channel)
      channel.embeddedEventLoop.advanceTime(by: .seconds(100))
      #expect(channel.isActive)
      var headers = HTTPHeaders()
      headers.add(name: "Content-Length", value: "0")
      try channel.writeOutbound(
        HTTPServerResponsePart.head(HTTPResponseHead(version: .http1_1, status: .ok, headers: headers)))
      try channel.writeOutbound(HTTPServerResponsePart.end(nil))
      channel.embeddedEventLoop.advanceTime(by: .seconds(100))
      #expect(channel.isActive)
    }
    Self.send("G", channel)
    channel.embeddedEventLoop.advanceTime(by: .seconds(31))
    #expect(!channel.isActive)
  }

  @Test("fields without end are given up, also within the time")
  func endless() throws {
    let channel = try Self.channel()
    Self.send("GET / HTTP/1.1\r\n", channel)
    for _ in 0..<300 where channel.isActive { Self.send("X: \(String(repeating: "x", count: 1000))\r\n", channel) }
    #expect(!channel.isActive)
  }
}
