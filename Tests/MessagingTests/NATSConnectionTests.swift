import Certificates
import Formats
import Glibc
import Messaging
import NIOCore
import NIOPosix
import TestSupport
import Testing

@testable import struct Messaging.NATSProcess

@Suite("NATSConnection")
struct NATSConnectionTests {
  @Test("comes back after the server was killed, subscribes again and sends what has waited")
  func reconnecting() async throws {
    try await withDirectory { directory in
      let port = try freePort()
      var process = try startPlainServer("", port: port, directory: directory)
      defer { process.signal(SIGKILL) }
      let connection = try NATSConnection(configuration("nats://127.0.0.1:\(port)"), logger: quiet)
      await connection.start()
      try await connection.waitUntilConnected(.seconds(20))
      let events = connection.events()
      let subscription = try await connection.subscribe("a.*")
      try await connection.publish("a.1", Array("before".utf8))
      #expect(try await subscription.next()?.text == "before")

      process.signal(SIGKILL)
      await process.waitForExit()
      #expect(await first(of: events) { if case .disconnected = $0 { true } else { nil } } == true)
      for index in 0..<100 { try await connection.publish("a.1", Array("while away \(index)".utf8)) }
      let late = try await connection.subscribe("a.1")
      process = try startPlainServer("", port: port, directory: directory)
      for index in 0..<100 {
        #expect(try await subscription.next()?.text == "while away \(index)")
        #expect(try await late.next()?.text == "while away \(index)")
      }
      try await connection.flush()
      await connection.close()
      #expect(try await subscription.next() == nil)
      process.signal(SIGKILL)
      await process.waitForExit()
    }
  }

  @Test("moves to another server of its list")
  func cluster() async throws {
    try await withPlainServer { other in
      let connection = try NATSConnection(
        configuration("nats://127.0.0.1:\(try freePort())", other), logger: quiet)
      await connection.start()
      try await connection.waitUntilConnected(.seconds(20))
      await connection.close()
    }
  }

  @Test("says what the last attempt met when it can't connect in time")
  func notConnecting() async throws {
    let connection = try NATSConnection(configuration("nats://127.0.0.1:\(try freePort())"), logger: quiet)
    await connection.start()
    let error = await #expect(throws: DroverError.self) { try await connection.waitUntilConnected(.milliseconds(300)) }
    #expect(error?.code == .timeout)
    #expect(error?.description.contains("refused") == true, "\(String(describing: error))")
    await connection.close()
    await #expect(throws: DroverError.self) { try await connection.publish("a", []) }
    await #expect(throws: DroverError.self) { try await connection.subscribe("a") }
    await #expect(throws: DroverError.self) { try await connection.flush() }
    await #expect(throws: DroverError.self) { try await connection.waitUntilConnected() }
  }

  @Test("shows user and password, and reports when they are refused")
  func password() async throws {
    let lines = "authorization { user: me, password: \"p@ss\" }"
    try await withPlainServer(lines) { url in
      let address = url.dropFirst("nats://".count)
      let connection = try NATSConnection(configuration("nats://me:p%40ss@\(address)"), logger: quiet)
      await connection.start()
      try await connection.waitUntilConnected(.seconds(20))
      await connection.close()

      let wrong = try NATSConnection(configuration("nats://me:wrong@\(address)"), logger: quiet)
      let events = wrong.events()
      await wrong.start()
      let reason = await first(of: events) { if case .disconnected(_, let reason) = $0 { reason } else { nil } }
      #expect(reason?.code == .forbidden)
      #expect(reason?.message.contains("Authorization Violation") == true)
      await wrong.close()
    }
  }

  @Test("reports a request that nobody hears, and carries headers")
  func headers() async throws {
    try await withPlainServer { url in
      let connection = try NATSConnection(configuration(url), logger: quiet)
      await connection.start()
      let inbox = try await ReplyInbox(bus: connection, pattern: "r.>")
      let error = await #expect(throws: DroverError.self) {
        try await inbox.request("nobody", [1], reply: "r.1", timeout: .seconds(60), inHeader: true)
      }
      #expect(error?.code == .unavailable)
      let subscription = try await connection.subscribe("a")
      let fields = [BusMessage.Header(name: "Key", value: "a value: x"), BusMessage.Header(name: "K2", value: "")]
      try await connection.publish("a", Array("body".utf8), headers: fields)
      let message = try await subscription.next()
      #expect(message?.headers == fields)
      #expect(message?.text == "body")
      await #expect(throws: DroverError.self) {
        try await connection.publish("a", [], headers: [BusMessage.Header(name: "a", value: "x\r\ny")])
      }
      await connection.close()
    }
  }

  @Test("holds reading back for a slow reader and loses nothing when it goes on in time")
  func backPressure() async throws {
    try await withPlainServer { url in
      var slow = configuration(url)
      slow.subscriptionBufferBytes = 100_000
      slow.slowConsumerPatience = .seconds(60)
      let reader = try NATSConnection(slow, logger: quiet)
      let writer = try NATSConnection(configuration(url), logger: quiet)
      await reader.start()
      await writer.start()
      let subscription = try await reader.subscribe("a")
      let other = try await reader.subscribe("b")
      try await reader.flush()
      for index in 0..<2000 {
        try await writer.publish("a", Array("\(index) ".utf8) + [UInt8](repeating: 65, count: 4000))
      }
      try await writer.publish("b", Array("end".utf8))
      try await writer.flush()
      for index in 0..<2000 { #expect(try await subscription.next()?.text.hasPrefix("\(index) A") == true) }
      #expect(try await other.next()?.text == "end")
      #expect(subscription.droppedMessages == 0)
      await reader.close()
      await writer.close()
    }
  }

  @Test("drops, counts and reports what a reader leaves lying for too long, without holding up the others")
  func slowConsumer() async throws {
    try await withPlainServer { url in
      var slow = configuration(url)
      slow.subscriptionBufferBytes = 100_000
      slow.slowConsumerPatience = .milliseconds(20)
      let reader = try NATSConnection(slow, logger: quiet)
      let writer = try NATSConnection(configuration(url), logger: quiet)
      await reader.start()
      await writer.start()
      let subscription = try await reader.subscribe("a")
      let other = try await reader.subscribe("b")
      try await reader.flush()
      let events = reader.events()
      for index in 0..<2000 {
        try await writer.publish("a", Array("\(index) ".utf8) + [UInt8](repeating: 65, count: 4000))
      }
      try await writer.publish("b", Array("end".utf8))
      #expect(try await other.next()?.text == "end")
      let subject = await first(of: events) { if case .slowConsumer(let subject, _) = $0 { subject } else { nil } }
      #expect(subject == "a")
      let dropped = subscription.droppedMessages
      #expect(dropped > 0 && dropped < 2000)
      for index in 0..<(2000 - dropped) { #expect(try await subscription.next()?.text.hasPrefix("\(index) A") == true) }
      try await eventually("it goes on when there is room again") {
        // The first ones may still come before the connection has noticed that there is room.
        let before = subscription.droppedMessages
        try await writer.publish("a", Array("again".utf8))
        try await writer.flush()
        try await Task.sleep(for: .milliseconds(20))
        return subscription.droppedMessages == before
      }
      await reader.close()
      await writer.close()
    }
  }

  @Test("finds out that a server has gone silent")
  func stale() async throws {
    // Speaks the protocol up to the welcome, then never again.
    let welcomes = Tally()
    let silent = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(SilentServer { welcomes.add() })
        }
      }
      .bind(host: "127.0.0.1", port: 0).get()
    let port = try #require(silent.localAddress?.port)
    var configuration = configuration("nats://127.0.0.1:\(port)")
    configuration.pingInterval = .milliseconds(20)
    let connection = try NATSConnection(configuration, logger: quiet)
    let events = connection.events()
    await connection.start()
    let reason = await first(of: events) { if case .disconnected(_, let reason) = $0 { reason } else { nil } }
    #expect(reason?.code == .timeout)
    try await eventually("it tries again") { welcomes.count > 1 }
    await connection.close()
    try await silent.close()
  }

  @Test("drains: readers get what has arrived, then the end")
  func draining() async throws {
    try await withPlainServer { url in
      let connection = try NATSConnection(configuration(url), logger: quiet)
      await connection.start()
      let subscription = try await connection.subscribe("a")
      let echo = try NATSConnection(configuration(url), logger: quiet)
      await echo.start()
      let answers = try await echo.subscribe("answer")
      try await echo.flush()
      for index in 0..<500 { try await connection.publish("a", Array("\(index)".utf8)) }
      let reader = Task {
        var texts: [String] = []
        for try await message in subscription {
          texts.append(message.text)
          try await connection.publish("answer", message.payload)
        }
        return texts
      }
      await connection.drain(.seconds(60))
      #expect(try await reader.value == (0..<500).map(String.init))
      for index in 0..<500 { #expect(try await answers.next()?.text == "\(index)") }
      await echo.close()
    }
  }

  private func configuration(_ urls: String...) -> NATSConfiguration {
    var configuration = NATSConfiguration(urls: urls)
    configuration.reconnectDelay = { _ in .milliseconds(20) }
    return configuration
  }
}

/// Greets, answers the first PING, and is silent from then on.
private final class SilentServer: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer
  private let welcomed: () -> Void
  private var hasAnswered = false

  init(welcomed: @escaping () -> Void) { self.welcomed = welcomed }

  func channelActive(context: ChannelHandlerContext) {
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "INFO {\"max_payload\":1000}\r\n")), promise: nil)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !hasAnswered, String(buffer: unwrapInboundIn(data)).contains("PING\r\n") else { return }
    hasAnswered = true
    welcomed()
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(string: "PONG\r\n")), promise: nil)
  }
}
