import Formats
import Glibc
import HTTPService
import Surroundings
import TestSupport
import Testing

/// Who does not want an answer, but the server's time, memory or connections.
@Suite(.timeLimit(.minutes(5))) struct HostileClientTests {
  /// A connection of bytes. What blocks gives up after 20 seconds.
  private final class Client: Sendable {
    private let descriptor: Int32

    init(_ port: Int) throws {
      descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
      var limit = timeval(tv_sec: 20, tv_usec: 0)
      for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
        setsockopt(descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
      }
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_port = in_port_t(port).bigEndian
      address.sin_addr.s_addr = inet_addr("127.0.0.1")
      let outcome = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
        }
      }
      guard outcome == 0 else { throw DroverError(.unavailable, "connecting: \(String(cString: strerror(errno)))") }
    }

    deinit { close(descriptor) }

    /// - Returns: false when the server has hung up.
    @discardableResult
    func send(_ text: String) -> Bool {
      let bytes = Array(text.utf8)
      return Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// What comes first; nil when nothing does.
    func line() -> String? {
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      return count > 0 ? String(decoding: buffer.prefix(count), as: UTF8.self) : nil
    }

    /// What comes until the server hangs up; nil when it does not.
    func rest() -> String? {
      var text: [UInt8] = []
      var buffer = [UInt8](repeating: 0, count: 65_536)
      while true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        if count < 0, errno == EINTR { continue }
        if count < 0, errno == EAGAIN { return nil }
        guard count > 0 else { return String(decoding: text, as: UTF8.self) }
        text += buffer.prefix(count)
      }
    }
  }

  private static func with(
    maximumConnections: Int = 512, _ test: @escaping @Sendable (Int) throws -> Void
  ) async throws {
    var configuration = HTTPService.Configuration(address: "127.0.0.1", port: 0)
    configuration.maximumConnections = maximumConnections
    try await withService(configuration) { request, body in
      if request.path == "/unread" { return .text(401, "no") }
      guard let bytes = try? await body.collect(limit: 1000) else { return .text(400, "broken") }
      return .text(200, "\(bytes.count) bytes")
    } _: { port in
      // Off the tasks' threads: all of it blocks.
      try await blocking { try test(port) }
      // What was given up has given its place back.
      while maximumConnections < 512, (try? await TestHTTP.send("GET", "http://127.0.0.1:\(port)/")) == nil {}
      let answer = try await TestHTTP.send("PUT", "http://127.0.0.1:\(port)/", body: [1, 2, 3])
      #expect(answer.status == 200 && answer.text == "3 bytes")
    }
  }

  @Test("fields without end are not kept", arguments: ["X: ", "X: y\r\nX: "])
  func endless(field: String) async throws {
    try await Self.with { port in
      let client = try Client(port)
      client.send("GET / HTTP/1.1\r\nHost: h\r\nX: ")
      let piece = String(repeating: "x", count: 1000) + "\r\n" + field
      var sent = 0
      while sent < 100_000_000, client.send(field.contains("\n") ? piece : String(repeating: "x", count: 1000)) {
        sent += 1000
      }
      // What lies in the sockets' buffers has been sent, too.
      #expect(sent < 50_000_000)
    }
  }

  @Test("bodies that break off, lie about their length or come in broken pieces end one connection")
  func broken() async throws {
    try await Self.with { port in
      for text in [
        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 100\r\n\r\nshort",
        "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nbroken\r\n",
        "PUT / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n",
        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "PUT / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "\u{0}\u{1}\u{2}\r\n\r\n", "GET\r\n\r\n", "\r\n\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "{\"method\":\"ping\"}",
      ] {
        let client = try Client(port)
        client.send(text)
        client.finish()
        let answer = try #require(client.rest(), "\(text.debugDescription)")
        #expect(!answer.contains(" 200 "), "\(text.debugDescription): \(answer)")
      }
    }
  }

  @Test("what nobody wants is not read for ever")
  func unwanted() async throws {
    try await Self.with { port in
      let client = try Client(port)
      client.send("PUT /unread HTTP/1.1\r\nHost: h\r\nContent-Length: 100000000000\r\n\r\n")
      let piece = String(repeating: "x", count: 100_000)
      var sent = 0
      while sent < 100_000_000, client.send(piece) { sent += piece.utf8.count }
      #expect(sent < 50_000_000)
    }
  }

  @Test("of many connections only so many are kept, and when they go others have a place")
  func many() async throws {
    try await Self.with(maximumConnections: 10) { port in
      let request = "GET / HTTP/1.1\r\nHost: h\r\n\r\n"
      var clients: [Client] = []
      for _ in 0..<10 {
        let client = try Client(port)
        client.send(request)
        // It has its place once it is answered.
        #expect(client.line()?.contains(" 200 ") == true)
        clients.append(client)
      }
      let last = try Client(port)
      last.send(request)
      #expect(last.rest()?.contains(" 200 ") != true)
      clients = []
      while true {
        let next = try Client(port)
        next.send(request)
        if next.line()?.contains(" 200 ") == true { break }
        usleep(10_000)
      }
    }
  }
}
