import AgentProtocol
import Formats
import Glibc
import Messaging
import Synchronization
import Testing

@testable import Agent

@Suite(.timeLimit(.minutes(1))) struct LogLinesTests {
  @Test("a request is logged as the message it came in, without what must stay secret")
  func requests() {
    let request = AgentRequest(
      method: "a\"b", arguments: [["password": "p", "n": 1]], replyTo: "r", protocolVersion: 3)
    #expect(
      MessageLog.text(of: request, bytes: 10, isLoggable: true)
        == #"{"protocol":3,"method":"a\"b","arguments":[{"password":"‹redacted›","n":1}],"reply_to":"r"}"#)
    let plain = AgentRequest(method: "ping", replyTo: nil, protocolVersion: 0)
    #expect(MessageLog.text(of: plain, bytes: 10, isLoggable: true) == JSON.text(plain.value))
    #expect(MessageLog.text(of: request, bytes: 10, isLoggable: false).contains(#""arguments":"‹not logged›""#))
    #expect(MessageLog.text(of: request, bytes: 70_000, isLoggable: true).contains(#""arguments":"‹70000 bytes›""#))
  }

  /// The texts that were written, one for each write.
  private final class Pipe {
    private let ends: [Int32]
    var lines: LogLines { LogLines(descriptor: ends[1]) }

    init() {
      var ends: [Int32] = [0, 0]
      socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &ends)
      self.ends = ends
    }

    deinit { for end in ends { close(end) } }

    func written() -> [String] {
      var texts: [String] = []
      var buffer = [UInt8](repeating: 0, count: 200_000)
      while true {
        let count = recv(ends[0], &buffer, buffer.count, Int32(MSG_DONTWAIT))
        guard count > 0 else { return texts }
        texts.append(String(decoding: buffer.prefix(count), as: UTF8.self))
      }
    }
  }

  @Test("lines that belong together are written together, with what others have to say meanwhile")
  func together() {
    let pipe = Pipe()
    let lines = pipe.lines
    lines.add("1\n")
    #expect(pipe.written() == ["1\n"])
    lines.together {
      lines.add("2\n")
      lines.together { lines.add("3\n") }
      #expect(pipe.written().isEmpty)
      lines.add("4\n")
    }
    #expect(pipe.written() == ["2\n3\n4\n"])
    lines.together {}
    #expect(pipe.written().isEmpty)
    // What is much is not kept back.
    let long = String(repeating: "x", count: 70_000)
    lines.together {
      lines.add(long)
      #expect(pipe.written() == [long])
    }
  }

  /// A bus that is still writing until it is told to go on.
  private final class SlowBus: MessageBus {
    let later = Mutex<[@Sendable () -> Void]>([])

    func publish(_ subject: String, _ payload: [UInt8], reply: String?) async throws {}
    func subscribe(_ subject: String, queue: String?) async throws -> MessageSubscription {
      try await MemoryBus().subscribe(subject)
    }
    func afterwards(_ body: @escaping @Sendable () -> Void) { later.withLock { $0.append(body) } }

    func goOn() {
      let bodies = later.withLock { later in
        defer { later = [] }
        return later
      }
      for body in bodies { body() }
    }
  }

  @Test(
    "what is put off is written once the answers are out, in their order and together, and no more than so much waits")
  func late() {
    let pipe = Pipe()
    let lines = pipe.lines
    let late = LateLines(lines: lines)
    let bus = SlowBus()
    for number in 0..<3 { late.add(over: bus) { lines.add("\(number)\n") } }
    #expect(pipe.written().isEmpty)
    #expect(bus.later.withLock { $0.count } == 1)
    bus.goOn()
    #expect(pipe.written() == ["0\n1\n2\n"])
    for _ in 0..<300 { late.add(over: bus) { lines.add("x") } }
    #expect(pipe.written() == [String(repeating: "x", count: 256)])
    bus.goOn()
    #expect(pipe.written() == [String(repeating: "x", count: 44)])
  }
}
