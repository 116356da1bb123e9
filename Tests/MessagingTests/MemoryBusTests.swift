import Formats
import Messaging
import Surroundings
import Synchronization
import Testing

@Suite("MemoryBus")
struct MemoryBusTests {
  @Test("loses, repeats and refuses messages as a test decides")
  func interceptor() async throws {
    let bus = MemoryBus()
    let subscription = try await bus.subscribe("a")
    bus.intercept { message in
      switch message.text {
      case "lost": .drop
      case "twice": .repeated(2)
      case "refused": .refuse(DroverError(.unavailable, "no"))
      default: .deliver
      }
    }
    for text in ["lost", "twice", "once"] { try await bus.publish("a", Array(text.utf8)) }
    await #expect(throws: DroverError.self) { try await bus.publish("a", Array("refused".utf8)) }
    bus.intercept(nil)
    try await bus.publish("a", Array("lost".utf8))
    bus.close()
    var texts: [String] = []
    for try await message in subscription { texts.append(message.text) }
    #expect(texts == ["twice", "twice", "once", "lost"])
  }

  @Test("delays messages by the clock that it is given")
  func delays() async throws {
    let pauses = Mutex<[Duration]>([])
    let gate = AsyncStream.makeStream(of: Void.self)
    var surroundings = Surroundings.system
    surroundings.sleep = { pause in
      pauses.withLock { $0.append(pause) }
      for await _ in gate.stream { break }
    }
    let bus = MemoryBus(surroundings: surroundings)
    let subscription = try await bus.subscribe("a")
    bus.intercept { $0.text == "late" ? .delay(.seconds(3600)) : .deliver }
    try await bus.publish("a", Array("late".utf8))
    try await bus.publish("a", Array("now".utf8))
    #expect(try await subscription.next()?.text == "now")
    gate.continuation.finish()
    #expect(try await subscription.next()?.text == "late")
    #expect(pauses.withLock { $0 } == [.seconds(3600)])
  }

  @Test("drops and counts what a subscription can't hold")
  func slowConsumer() async throws {
    let bus = MemoryBus(bufferBytes: 1000)
    let subscription = try await bus.subscribe("a")
    for _ in 0..<10 { try await bus.publish("a", [UInt8](repeating: 1, count: 300)) }
    #expect(subscription.droppedMessages == 7)
    for _ in 0..<3 { #expect(try await subscription.next() != nil) }
    try await bus.publish("a", [2])
    #expect(try await subscription.next()?.payload == [2])
  }

  @Test("refuses everything after its end")
  func closed() async throws {
    let bus = MemoryBus()
    let subscription = try await bus.subscribe("a")
    bus.close()
    #expect(try await subscription.next() == nil)
    let publishing = await #expect(throws: DroverError.self) { try await bus.publish("a", []) }
    #expect(publishing?.code == .unavailable)
    await #expect(throws: DroverError.self) { try await bus.subscribe("a") }
  }
}

@Suite("ReplyInbox")
struct ReplyInboxTests {
  @Test("times out, and ignores what comes later")
  func timeout() async throws {
    let bus = MemoryBus()
    let inbox = try await ReplyInbox(bus: bus, pattern: "r.>")
    let error = await #expect(throws: DroverError.self) {
      try await inbox.request("a", [], reply: "r.1", timeout: .milliseconds(1))
    }
    #expect(error?.code == .timeout)
    try await bus.publish("r.1", [1])
    let again = Task { try await inbox.request("a", [], reply: "r.2", timeout: .seconds(60)) }
    let answering = Task {
      while !Task.isCancelled {
        try await bus.publish("r.2", [2])
        await Task.yield()
      }
    }
    #expect(try await again.value == [2])
    answering.cancel()
  }

  @Test("refuses two who wait for the same reply, and subjects that it does not hear")
  func conflicts() async throws {
    let bus = MemoryBus()
    let requests = try await bus.subscribe("a")
    let inbox = try await ReplyInbox(bus: bus, pattern: "r.>")
    let first = Task { try await inbox.request("a", [], reply: "r.1", timeout: .seconds(60)) }
    _ = try await requests.next()
    let conflict = await #expect(throws: DroverError.self) {
      try await inbox.request("a", [], reply: "r.1", timeout: .seconds(60))
    }
    #expect(conflict?.code == .conflict)
    let deaf = await #expect(throws: DroverError.self) {
      try await inbox.request("a", [], reply: "s.1", timeout: .seconds(60))
    }
    #expect(deaf?.code == .invalid)
    first.cancel()
    await #expect(throws: CancellationError.self) { try await first.value }
  }

  @Test("tells who waits that the bus is gone")
  func gone() async throws {
    let bus = MemoryBus()
    let requests = try await bus.subscribe("a")
    let inbox = try await ReplyInbox(bus: bus, pattern: "r.>")
    let waiting = Task { try await inbox.request("a", [], reply: "r.1", timeout: .seconds(60)) }
    _ = try await requests.next()
    bus.close()
    let error = await #expect(throws: DroverError.self) { try await waiting.value }
    #expect(error?.code == .unavailable)
  }
}
