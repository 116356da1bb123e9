import Formats
import NIOCore
import Testing

@testable import Messaging

@Suite("NATSParser")
struct NATSParserTests {
  private static let stream =
    "INFO {\"server_id\":\"X\",\"max_payload\":99,\"tls_required\":true,\"connect_urls\":[\"h:1\"]}\r\n"
    + "PING\r\nping\r\nPONG\r\n+OK\r\n-ERR 'Stale Connection'\r\n"
    + "MSG a.b 7 5\r\nhello\r\nMSG a.b 7 c.d 0\r\n\r\nmsg\ta  12 3\n\r\n\n\r\n"
    + "HMSG a 1 r 32 34\r\nNATS/1.0 503 none\r\nA: b\r\nC:d\r\n\r\nhi\r\nPING\n"

  private static var operations: [NATSOperation] {
    var info = NATSServerInfo()
    (info.serverID, info.maximumPayload, info.tlsRequired, info.connectURLs) = ("X", 99, true, ["h:1"])
    let headers = [BusMessage.Header(name: "A", value: "b"), BusMessage.Header(name: "C", value: "d")]
    return [
      .info(info), .ping, .ping, .pong, .ok, .error("Stale Connection"),
      .message(subscription: 7, BusMessage(subject: "a.b", payload: Array("hello".utf8))),
      .message(subscription: 7, BusMessage(subject: "a.b", payload: [], reply: "c.d")),
      .message(subscription: 12, BusMessage(subject: "a", payload: Array("\r\n\n".utf8))),
      .message(
        subscription: 1,
        BusMessage(subject: "a", payload: Array("hi".utf8), reply: "r", status: 503, headers: headers)),
      .ping,
    ]
  }

  @Test("reads the same operations from any portions")
  func splitAnywhere() throws {
    let bytes = Array(Self.stream.utf8)
    for split in 0...bytes.count {
      #expect(try parse([bytes[..<split], bytes[split...]]) == Self.operations, "split at \(split)")
    }
    for size in 1...7 {
      let portions = stride(from: 0, to: bytes.count, by: size).map { bytes[$0..<min($0 + size, bytes.count)] }
      #expect(try parse(portions) == Self.operations, "portions of \(size)")
    }
  }

  @Test(
    "refuses what breaks the protocol",
    arguments: [
      "HELLO\r\n", "\r\n", "MSG\r\n", "MSG a\r\n", "MSG a 1\r\n", "MSG a 1 b c 5\r\n", "MSG a x 5\r\n",
      "MSG a 1 -5\r\n", "MSG a 1 5000000000\r\n", "MSG a 1 99999999\r\n", "MSG a 1 2\r\nabcd", "HMSG a 1 9 5\r\n",
      "HMSG a 1 5\r\n", "HMSG a 1 4 4\r\nabcd\r\n", "INFO\r\n", "INFO {\r\n", "INFO []\r\n", "MSG a 1 +5\r\n",
    ])
  func broken(text: String) {
    let error = #expect(throws: DroverError.self) { try parse([Array(text.utf8)[...]]) }
    #expect([.corrupt, .tooLarge].contains(error?.code))
    #expect(error?.message.hasPrefix("NATS: ") == true)
  }

  @Test("refuses a line without end")
  func endlessLine() {
    let error = #expect(throws: DroverError.self) { try parse([[UInt8](repeating: 65, count: 300_000)[...]]) }
    #expect(error?.code == .tooLarge)
  }

  @Test("answers random bytes with operations or an error, never anything else")
  func fuzz() {
    var generator = Chance(seed: 42)
    let bytes = Array(Self.stream.utf8)
    var errors = 0
    for _ in 0..<20000 {
      var input = bytes
      for _ in 0..<Int.random(in: 1...6, using: &generator) {
        let place = Int.random(in: 0..<input.count, using: &generator)
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: input[place] = UInt8.random(in: .min ... .max, using: &generator)
        case 1: input.remove(at: place)
        default: input.insert(bytes[Int.random(in: 0..<bytes.count, using: &generator)], at: place)
        }
      }
      let middle = Int.random(in: 0...input.count, using: &generator)
      let whole = outcome([input[...]])
      #expect(whole == outcome([input[..<middle], input[middle...]]), "portions must not matter")
      if whole.failed { errors += 1 }
    }
    #expect(errors > 1000)
  }

  private struct Outcome: Equatable {
    var operations: [NATSOperation]
    var failed: Bool
  }

  private func outcome(_ portions: [ArraySlice<UInt8>]) -> Outcome {
    var parser = NATSParser()
    var outcome = Outcome(operations: [], failed: false)
    do {
      for portion in portions {
        parser.append(ByteBuffer(bytes: portion))
        while let operation = try parser.next() { outcome.operations.append(operation) }
      }
    } catch {
      outcome.failed = true
    }
    return outcome
  }

  private func parse(_ portions: [ArraySlice<UInt8>]) throws -> [NATSOperation] {
    var parser = NATSParser()
    var operations: [NATSOperation] = []
    for portion in portions {
      parser.append(ByteBuffer(bytes: portion))
      while let operation = try parser.next() { operations.append(operation) }
    }
    return operations
  }
}

/// Random numbers that are the same each time (SplitMix64).
struct Chance: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
