import Certificates
import Formats
import Messaging
import Surroundings
import Synchronization
import Testing

/// What every bus must do; run on the one in memory and on a real server.
@Suite("MessageBus")
struct MessageBusTests {
  enum Kind: CaseIterable, Sendable { case memory, nats }

  @Test("delivers to every subscription that matches, in order", arguments: Kind.allCases)
  func order(kind: Kind) async throws {
    try await withBus(kind) { bus in
      let all = try await bus.subscribe("director.t.>")
      let some = try await bus.subscribe("director.t.*.x")
      let other = try await bus.subscribe("director.u")
      for index in 0..<100 { try await bus.publish("director.t.\(index).\(index % 2 == 0 ? "x" : "y")", []) }
      try await bus.publish("director.u", Array("end".utf8), reply: "director.r")
      #expect(
        try await take(100, from: all).map(\.subject) == (0..<100).map { "director.t.\($0).\($0 % 2 == 0 ? "x" : "y")" }
      )
      #expect(try await take(50, from: some).map(\.subject) == (0..<50).map { "director.t.\($0 * 2).x" })
      let last = try await other.next()
      #expect(last == BusMessage(subject: "director.u", payload: Array("end".utf8), reply: "director.r"))
    }
  }

  @Test("gives a message to one member of a queue, and to all without", arguments: Kind.allCases)
  func queues(kind: Kind) async throws {
    try await withBus(kind) { bus in
      let counts = Counts()
      let subscriptions = [
        try await bus.subscribe("director.q", queue: "workers"),
        try await bus.subscribe("director.q", queue: "workers"),
        try await bus.subscribe("director.q"),
      ]
      try await withThrowingTaskGroup(of: Void.self) { group in
        for (index, subscription) in subscriptions.enumerated() {
          group.addTask { for try await _ in subscription { counts.values.withLock { $0[index] += 1 } } }
        }
        for _ in 0..<200 { try await bus.publish("director.q", [1]) }
        try await eventually("every message arrives once in the queue, once outside") {
          counts.values.withLock { $0[0] + $0[1] == 200 && $0[2] == 200 }
        }
        #expect(counts.values.withLock { $0[0] > 0 && $0[1] > 0 })
        group.cancelAll()
        try await group.waitForAll()
      }
    }
  }

  @Test("stops delivering after unsubscribing, and when nobody can read any more", arguments: Kind.allCases)
  func unsubscribing(kind: Kind) async throws {
    try await withBus(kind) { bus in
      let kept = try await bus.subscribe("director.s")
      let ended = try await bus.subscribe("director.s")
      let done = try await bus.subscribe("director.done")
      try await bus.publish("director.s", Array("1".utf8))
      try await bus.publish("director.done", [])
      #expect(try await kept.next()?.text == "1")
      _ = try await done.next()
      ended.unsubscribe()
      try await bus.publish("director.s", Array("2".utf8))
      #expect(try await kept.next()?.text == "2")
      #expect(try await ended.next()?.text == "1", "what had arrived can be read")
      #expect(try await ended.next() == nil)
    }
  }

  @Test("ends the wait of a task that is cancelled", arguments: Kind.allCases)
  func cancelling(kind: Kind) async throws {
    try await withBus(kind) { bus in
      let subscription = try await bus.subscribe("director.c")
      let reader = Task { try await subscription.next() }
      reader.cancel()
      #expect(try await reader.value == nil)
      try await bus.publish("director.c", [7])
      #expect(try await subscription.next()?.payload == [7])
    }
  }

  @Test("carries bytes as they are, up to the limit and not beyond", arguments: Kind.allCases)
  func payloads(kind: Kind) async throws {
    try await withBus(kind) { bus in
      let subscription = try await bus.subscribe("director.p")
      let payloads = [[], Array("\r\nPING\r\n".utf8), Array(0...255), [UInt8](repeating: 9, count: 1_048_576)]
      for payload in payloads { try await bus.publish("director.p", payload) }
      for payload in payloads { #expect(try await subscription.next()?.payload == payload) }
      let error = await #expect(throws: DroverError.self) {
        try await bus.publish("director.p", [UInt8](repeating: 9, count: 1_048_577))
      }
      #expect(error?.code == .tooLarge)
      try await bus.publish("director.p", [1])
      #expect(try await subscription.next()?.payload == [1], "the bus goes on")
    }
  }

  @Test("refuses subjects that are none", arguments: Kind.allCases)
  func subjects(kind: Kind) async throws {
    try await withBus(kind) { bus in
      await #expect(throws: DroverError.self) { try await bus.publish("a b", []) }
      await #expect(throws: DroverError.self) { try await bus.publish("director.>", []) }
      await #expect(throws: DroverError.self) { try await bus.publish("director.x", [], reply: "a\r\nPUB") }
      await #expect(throws: DroverError.self) { try await bus.subscribe("a..b") }
      await #expect(throws: DroverError.self) { try await bus.subscribe("director.x", queue: "a b") }
    }
  }

  @Test("has thousands of requests in flight", arguments: Kind.allCases)
  func requests(kind: Kind) async throws {
    try await withBus(kind) { bus in
      let requests = try await bus.subscribe("director.service")
      let service = Task {
        for try await message in requests { try await bus.publish(message.reply ?? "", message.payload.reversed()) }
      }
      let inbox = try await ReplyInbox(bus: bus, pattern: "director.uuid.>")
      try await withThrowingTaskGroup(of: Void.self) { group in
        for index in 0..<5000 {
          group.addTask {
            let reply = try await inbox.request(
              "director.service", Array("request-\(index)".utf8), reply: "director.uuid.a.\(index)",
              timeout: .seconds(60), inHeader: true)
            #expect(reply == Array("request-\(index)".utf8).reversed())
          }
        }
        try await group.waitForAll()
      }
      service.cancel()
    }
  }

  private func take(_ count: Int, from subscription: MessageSubscription) async throws -> [BusMessage] {
    var messages: [BusMessage] = []
    while messages.count < count, let message = try await subscription.next() { messages.append(message) }
    return messages
  }

  private func withBus(_ kind: Kind, _ body: @Sendable (any MessageBus) async throws -> Void) async throws {
    switch kind {
    case .memory: try await body(MemoryBus())
    case .nats:
      try await withPlainServer { url in
        let bus = try NATSConnection(NATSConfiguration(urls: [url]), logger: quiet)
        await bus.start()
        try await body(bus)
        await bus.close()
      }
    }
  }
}

private final class Counts: Sendable {
  let values = Mutex([Int](repeating: 0, count: 3))
}
