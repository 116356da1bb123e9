import Formats
import NIOCore
import Testing

@testable import Messaging

@Suite("NATSSession")
struct NATSSessionTests {
  @Test("greets, waits for the welcome, then subscribes and sends what has waited")
  func connecting() throws {
    var session = try NATSSession(NATSConfiguration(urls: ["a:1"], user: "u", password: Secret("p"), name: "n"))
    #expect(session.handle(.subscribe(id: 1, subject: "x.*", queue: nil)).texts == [])
    #expect(session.handle(.subscribe(id: 2, subject: "y", queue: "q")).texts == [])
    #expect(try session.publish("z", reply: "r", headers: [], payload: Array("hi".utf8)) == nil)
    #expect(session.handle(.flush(id: 9)).texts == [])
    #expect(session.handle(.start).texts == ["open a:1", "set connect"])
    #expect(session.handle(.opened).texts == [])
    let greeting = session.handle(.received(.info(NATSServerInfo()))).texts
    #expect(greeting.count == 2)
    #expect(greeting.first?.contains("\"user\":\"u\",\"pass\":\"p\"") == true)
    #expect(greeting.last == "PING")
    #expect(
      session.handle(.received(.pong)).texts == [
        "clear connect", "SUB x.* 1", "SUB y q 2", "PUB z r 2 hi", "PING", "set ping", "set settled", "connected a:1",
      ])
    #expect(session.handle(.received(.pong)).texts == ["flushed 9"])
    #expect(session.handle(.received(.ping)).texts == ["PONG"])
    #expect(session.handle(.unsubscribe(id: 1)).texts == ["end 1", "UNSUB 1"])
    #expect(session.handle(.unsubscribe(id: 1)).texts == [])
  }

  @Test("tries each server of a round at once, then pauses longer and longer")
  func rounds() throws {
    var session = try NATSSession(NATSConfiguration(urls: ["a:1", "b:1"]))
    var texts = session.handle(.start).texts
    for _ in 0..<7 {
      texts += session.handle(.lost(DroverError(.unavailable, "no"))).texts
      texts += session.handle(.lost(DroverError(.unavailable, "no"))).texts
      texts += session.handle(.fired(.reconnect)).texts
    }
    let steps = texts.filter { $0.hasPrefix("open") || $0.hasPrefix("reconnecting") }
    #expect(
      Array(steps.prefix(7)) == [
        "open a:1", "open b:1", "reconnecting 1 2.0 seconds", "open a:1", "open b:1", "reconnecting 2 4.0 seconds",
        "open a:1",
      ])
    #expect(
      steps.filter { $0.hasPrefix("recon") }.suffix(2) == [
        "reconnecting 6 10.0 seconds", "reconnecting 7 10.0 seconds",
      ])
  }

  @Test("tries again at once after a good connection, but not after one that didn't last")
  func settling() throws {
    var session = try connected()
    let early = session.handle(.lost(DroverError(.unavailable, "gone"))).texts
    #expect(early.last == "set reconnect")
    session = try connected()
    _ = session.handle(.fired(.settled))
    let late = session.handle(.lost(DroverError(.unavailable, "gone"))).texts
    #expect(late.suffix(2) == ["open a:1", "set connect"])
  }

  @Test("gives up after the rounds it was allowed")
  func givingUp() throws {
    var configuration = NATSConfiguration(urls: ["a:1"])
    configuration.maximumRounds = 1
    var session = try NATSSession(configuration)
    _ = session.handle(.subscribe(id: 1, subject: "x", queue: nil))
    _ = session.handle(.start)
    let texts = session.handle(.lost(DroverError(.unavailable, "no"))).texts
    #expect(texts.suffix(2) == ["end 1 unavailable", "closed unavailable"])
    #expect(throws: DroverError.self) { try session.publish("x", reply: nil, headers: [], payload: []) }
    #expect(session.handle(.flush(id: 3)).texts == ["flushed 3 unavailable"])
  }

  @Test("counts a server that doesn't answer pings as dead, and any word of it as life")
  func stale() throws {
    var session = try connected()
    for _ in 0..<2 { #expect(session.handle(.fired(.ping)).texts == ["PING", "set ping"]) }
    _ = session.handle(.received(.ok))
    for _ in 0..<2 { #expect(session.handle(.fired(.ping)).texts == ["PING", "set ping"]) }
    let texts = session.handle(.fired(.ping)).texts
    #expect(texts.contains("disconnected a:1 timeout"))
    #expect(texts.first == "shut")
  }

  @Test("fails a flush whose answer is lost with the connection")
  func lostFlush() throws {
    var session = try connected()
    #expect(session.handle(.flush(id: 5)).texts == ["PING"])
    #expect(session.handle(.lost(DroverError(.unavailable, "x"))).texts.contains("flushed 5 unavailable"))
  }

  @Test("refuses plain text where TLS is to be, and TLS where none is given")
  func tlsRules() throws {
    var info = NATSServerInfo()
    var session = try NATSSession(
      NATSConfiguration(urls: ["a:1"], tls: NATSTLS(certificatePEM: nil, key: nil, caPEM: "")))
    _ = session.handle(.start)
    _ = session.handle(.opened)
    #expect(session.handle(.received(.info(info))).texts.contains("disconnected a:1 forbidden"))
    info.tlsRequired = true
    session = try NATSSession(NATSConfiguration(urls: ["a:1"]))
    _ = session.handle(.start)
    _ = session.handle(.opened)
    #expect(session.handle(.received(.info(info))).texts.contains("disconnected a:1 invalid"))
    #expect(throws: DroverError.self) { try NATSSession(NATSConfiguration(urls: ["tls://a:1"])) }
    #expect(throws: DroverError.self) { try NATSSession(NATSConfiguration(urls: [])) }
  }

  @Test("says nothing more in plain text once TLS is to begin")
  func silentWhileSecuring() throws {
    var info = NATSServerInfo()
    info.tlsRequired = true
    var session = try NATSSession(
      NATSConfiguration(urls: ["a:1"], tls: NATSTLS(certificatePEM: nil, key: nil, caPEM: "")))
    _ = session.handle(.start)
    _ = session.handle(.opened)
    #expect(session.handle(.received(.info(info))).texts == ["secure a:1"])
    #expect(session.handle(.received(.ping)).texts == [])
    #expect(session.handle(.received(.pong)).texts == [])
    #expect(session.handle(.secured).texts.count == 2)
    #expect(session.handle(.secured).texts == [])
  }

  @Test("keeps messages for later up to a limit, and none that the server would refuse")
  func limits() throws {
    var configuration = NATSConfiguration(urls: ["a:1"])
    configuration.reconnectBufferBytes = 100
    var session = try NATSSession(configuration)
    let payload = [UInt8](repeating: 65, count: 60)
    _ = try session.publish("x", reply: nil, headers: [], payload: payload)
    let full = #expect(throws: DroverError.self) {
      try session.publish("x", reply: nil, headers: [], payload: payload)
    }
    #expect(full?.code == .tooLarge)
    session = try connected()
    var info = NATSServerInfo()
    info.maximumPayload = 10
    _ = session.handle(.received(.info(info)))
    let large = #expect(throws: DroverError.self) {
      try session.publish("x", reply: nil, headers: [], payload: payload)
    }
    #expect(large?.message == "publishing 60 bytes on x: the NATS server takes at most 10 bytes")
  }

  @Test("ends the subscription that is not permitted, and no other")
  func permissions() throws {
    var session = try connected()
    _ = session.handle(.subscribe(id: 1, subject: "x", queue: nil))
    _ = session.handle(.subscribe(id: 2, subject: "y", queue: nil))
    let text = "Permissions Violation for Subscription to \"x\""
    #expect(session.handle(.received(.error(text))).texts == ["permission subscription x", "end 1 forbidden"])
    let publish = "Permissions Violation for Publish to \"z\""
    #expect(session.handle(.received(.error(publish))).texts == ["permission publish z"])
    #expect(session.subscriptions.keys.sorted() == [2])
  }

  @Test("gives what the server complained of as the reason of the loss")
  func complaint() throws {
    var session = try connected()
    #expect(session.handle(.received(.error("Authorization Violation"))).texts == ["error Authorization Violation"])
    #expect(session.handle(.lost(DroverError(.unavailable, "gone"))).texts.contains("disconnected a:1 forbidden"))
  }

  @Test(
    "knows the server's complaints",
    arguments: [
      ("Permissions Violation for Publish to \"a.b\"", NATSComplaint.publishDenied(subject: "a.b")),
      ("Permissions Violation for Subscription to \"a\"", .subscriptionDenied(subject: "a", queue: nil)),
      (
        "Permissions Violation for Subscription to \"a\" using queue \"q\"",
        .subscriptionDenied(subject: "a", queue: "q")
      ),
      ("Authorization Violation", .fatal(.forbidden)), ("Stale Connection", .fatal(.timeout)),
      ("Maximum Payload Violation", .fatal(.tooLarge)), ("maximum connections exceeded", .fatal(.unavailable)),
      ("Invalid Subject", .other), ("", .other),
    ])
  func complaints(text: String, expected: NATSComplaint) { #expect(NATSComplaint(text) == expected) }

  @Test("survives any order of events, and is quiet after the end")
  func anyOrder() throws {
    var generator = Chance(seed: 7)
    var info = NATSServerInfo()
    var opened = 0
    for _ in 0..<2000 {
      var session = try NATSSession(NATSConfiguration(urls: ["a:1", "b:1"]))
      for _ in 0..<40 {
        info.tlsRequired = Int.random(in: 0..<8, using: &generator) == 0
        let events: [NATSSession.Event] = [
          .start, .opened, .secured, .received(.info(info)), .received(.pong), .received(.ping),
          .received(.error("Authorization Violation")), .lost(DroverError(.failed, "x")), .fired(.connect),
          .fired(.ping), .fired(.reconnect), .fired(.settled), .subscribe(id: 1, subject: "s", queue: nil),
          .unsubscribe(id: 1), .flush(id: 2), .received(.pong), .received(.info(info)), .opened,
        ]
        let event = events[Int.random(in: 0..<events.count, using: &generator)]
        let before = session.phase
        let texts = session.handle(event).texts
        if texts.contains(where: { $0.hasPrefix("connected") }) { opened += 1 }
        // Commands go out only where the protocol allows them.
        if [.idle, .opening, .securing, .pausing].contains(before), session.phase == before {
          #expect(!texts.contains { $0.hasPrefix("SUB") || $0.hasPrefix("P") || $0.hasPrefix("CONNECT") }, "\(event)")
        }
      }
      _ = session.handle(.close)
      #expect(session.handle(.lost(DroverError(.failed, "x"))).texts == [])
      #expect(session.handle(.start).texts == [])
    }
    #expect(opened > 100)
  }

  private func connected() throws -> NATSSession {
    var session = try NATSSession(NATSConfiguration(urls: ["a:1"]))
    _ = session.handle(.start)
    _ = session.handle(.opened)
    _ = session.handle(.received(.info(NATSServerInfo())))
    _ = session.handle(.received(.pong))
    try #require(session.phase == .connected)
    return session
  }
}

extension [NATSSession.Action] {
  /// The actions in a form that tests can compare.
  fileprivate var texts: [String] {
    map { action in
      func with(_ text: String, _ error: DroverError?) -> String { error.map { "\(text) \($0.code)" } ?? text }
      switch action {
      case .open(let server): return "open \(server)"
      case .secure(let server): return "secure \(server)"
      case .send(let bytes):
        return String(buffer: bytes).split(separator: "\r\n").joined(separator: " ")
      case .shut: return "shut"
      case .deliver(let id, let message): return "deliver \(id) \(message.subject)"
      case .end(let id, let error): return with("end \(id)", error)
      case .flushed(let id, let error): return with("flushed \(id)", error)
      case .set(let timer, _): return "set \(timer)"
      case .clear(let timer): return "clear \(timer)"
      case .report(.connected(let server)): return "connected \(server)"
      case .report(.disconnected(let server, let reason)): return "disconnected \(server) \(reason.code)"
      case .report(.reconnecting(let attempt, let pause)): return "reconnecting \(attempt) \(pause)"
      case .report(.closed(let reason)): return with("closed", reason)
      case .report(.permissionError(let operation, let subject)): return "permission \(operation) \(subject)"
      case .report(.serverError(let text)): return "error \(text)"
      case .report(.slowConsumer(let subject, let dropped)): return "slow \(subject) \(dropped)"
      }
    }
  }
}
