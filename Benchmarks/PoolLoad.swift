import Formats
import Glibc

/// What one connection of a load asks for, one request after the other.
protocol LoadScript {
  /// `METHOD TARGET`.
  mutating func request() -> String
  mutating func answered(_ status: Int, _ body: ArraySlice<UInt8>)
}

/// How a load went.
struct LoadResult {
  var requests = 0
  /// By status, other than 200.
  var refused: [Int: Int] = [:]
  var seconds = 0.0
  var latencies: [Double] = []

  var rate: Double { Double(requests) / seconds }

  /// In seconds.
  func percentile(_ part: Double) -> Double {
    let sorted = latencies.sorted()
    return sorted.isEmpty ? 0 : sorted[min(sorted.count - 1, Int(Double(sorted.count) * part))]
  }
}

/// Connections that each send a request, wait for the answer, and send the next one; all in one thread.
struct PoolLoad<Script: LoadScript> {
  private struct Connection {
    var descriptor: Int32
    var script: Script
    var received: [UInt8] = []
    var sentAt = ContinuousClock.now
  }

  private var connections: [Connection] = []

  init(port: Int, scripts: [Script]) throws {
    for script in scripts {
      connections.append(Connection(descriptor: try Self.connect(port), script: script))
    }
  }

  private static func connect(_ port: Int) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    let outcome = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard descriptor >= 0, outcome == 0 else { throw DroverError(.unavailable, "connecting to port \(port)") }
    var on: Int32 = 1
    setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
    return descriptor
  }

  /// Runs for so long, and closes the connections.
  mutating func run(seconds: Double) throws -> LoadResult {
    defer { for connection in connections { close(connection.descriptor) } }
    var result = LoadResult()
    let begin = ContinuousClock.now
    let end = begin + .seconds(seconds)
    for index in connections.indices { try send(&connections[index]) }
    var polled = connections.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while ContinuousClock.now < end {
      guard poll(&polled, nfds_t(polled.count), 1000) >= 0 else { continue }
      for index in polled.indices where polled[index].revents != 0 {
        let count = read(polled[index].fd, &buffer, buffer.count)
        guard count > 0 else { throw DroverError(.unavailable, "the server closed a connection") }
        connections[index].received += buffer[..<count]
        guard let (status, body, length) = Self.answer(connections[index].received) else { continue }
        result.latencies.append((ContinuousClock.now - connections[index].sentAt) / .seconds(1))
        result.requests += 1
        if status != 200 { result.refused[status, default: 0] += 1 }
        connections[index].script.answered(status, body)
        connections[index].received.removeFirst(length)
        try send(&connections[index])
      }
    }
    result.seconds = (ContinuousClock.now - begin) / .seconds(1)
    return result
  }

  private func send(_ connection: inout Connection) throws {
    let bytes = Array("\(connection.script.request()) HTTP/1.1\r\nHost: bench\r\nContent-Length: 0\r\n\r\n".utf8)
    connection.sentAt = .now
    guard bytes.withUnsafeBytes({ write(connection.descriptor, $0.baseAddress, $0.count) }) == bytes.count else {
      throw DroverError(.unavailable, "sending a request")
    }
  }

  /// The first answer, once all of it is there.
  private static func answer(_ bytes: [UInt8]) -> (status: Int, body: ArraySlice<UInt8>, length: Int)? {
    let end: [UInt8] = [13, 10, 13, 10]
    guard let head = bytes.firstRange(of: end) else { return nil }
    let text = String(decoding: bytes[..<head.lowerBound], as: UTF8.self)
    let lines = text.split(separator: "\r\n")
    let status = lines.first.map { $0.split(separator: " ") }.flatMap { $0.count > 1 ? Int($0[1]) : nil } ?? 0
    let field = lines.first { $0.lowercased().hasPrefix("content-length:") }
    let size = field?.split(separator: ":").last.flatMap { Int($0.drop { $0 == " " }) } ?? 0
    guard bytes.count >= head.upperBound + size else { return nil }
    return (status, bytes[head.upperBound..<(head.upperBound + size)], head.upperBound + size)
  }
}

/// Leases and releases in turns.
struct PairScript: LoadScript {
  let owner: String
  let type: String
  private var held: String?

  init(owner: String, type: String) {
    self.owner = owner
    self.type = type
  }

  mutating func request() -> String {
    if let held { return "POST /release?name=\(held)&dest=free&owner=\(owner)" }
    return "POST /acquire?type=\(type)&state=free&dest=busy&owner=\(owner)"
  }

  mutating func answered(_ status: Int, _ body: ArraySlice<UInt8>) {
    guard held == nil, status == 200 else {
      held = nil
      return
    }
    let mark = Array("\"name\":\"".utf8)
    guard let start = body.firstRange(of: mark)?.upperBound else { return }
    held = String(decoding: body[start...].prefix { $0 != UInt8(ascii: "\"") }, as: UTF8.self)
  }
}

/// Asks for nothing.
struct EmptyScript: LoadScript {
  func request() -> String { "GET /" }
  func answered(_ status: Int, _ body: ArraySlice<UInt8>) {}
}

/// Polls for many request ids in turns, none of which gets anything.
struct WaitScript: LoadScript {
  private let ids: [String]
  private var next = 0

  init(ids: [String]) { self.ids = ids }

  mutating func request() -> String {
    next = (next + 1) % ids.count
    return "POST /acquire?type=t0&state=never&dest=busy&owner=o&request_id=\(ids[next])"
  }

  func answered(_ status: Int, _ body: ArraySlice<UInt8>) {}
}
