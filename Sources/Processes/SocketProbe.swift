import Formats
import Glibc
public import Surroundings

/// Tries whether somebody answers at an address, and what.
public struct SocketProbe: Sendable {
  public enum Target: Sendable, Hashable {
    case tcp(host: String, port: Int)
    case udp(host: String, port: Int)
    case unixSocket(path: String)
  }

  public var target: Target
  public var timeout: Duration
  private let surroundings: Surroundings

  public init(_ target: Target, timeout: Duration, surroundings: Surroundings = .system) {
    self.target = target
    self.timeout = timeout
    self.surroundings = surroundings
  }

  /// Connects and, if there is something to send, sends it and reads the first line of the answer, without its end. For
  /// UDP, nobody refuses the datagram.
  ///
  /// - Throws: ``DroverError`` with the reason when that cannot be done in time.
  @discardableResult
  public func ask(_ request: [UInt8] = []) async throws -> String {
    try await inTime { try await exchange(request) }
  }

  /// A turn of a conversation.
  public enum Step: Sendable {
    case send([UInt8])
    /// Waits until what is looked for has come; answers where it ends in what has come so far.
    case expect(@Sendable ([UInt8]) -> Int?)
  }

  /// Connects, and speaks and listens by turns.
  ///
  /// - Throws: ``DroverError`` with the reason when that cannot be done in time, or something else is answered.
  public func converse(_ steps: [Step]) async throws {
    try await inTime {
      let socket = try await connected()
      defer { close(socket) }
      var received: [UInt8] = []
      for step in steps {
        switch step {
        case .send(let bytes): try await sendAll(bytes, socket)
        case .expect(let end):
          while true {
            if let end = end(received) {
              received.removeFirst(end)
              break
            }
            let bytes = try await receive(socket)
            received += bytes
            guard !bytes.isEmpty, received.count < 64 << 10 else {
              let found = String(decoding: received.prefix(100), as: UTF8.self).debugDescription
              throw DroverError(.failed, received.isEmpty ? "no answer" : "the answer is \(found)")
            }
          }
        }
      }
    }
  }

  private func inTime<Result: Sendable>(_ body: @escaping @Sendable () async throws -> Result) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
      group.addTask { try await body() }
      group.addTask {
        try await surroundings.sleep(timeout)
        throw DroverError(.timeout, "no answer within \(timeout.components.seconds) s")
      }
      defer { group.cancelAll() }
      guard let result = try await group.next() else { throw CancellationError() }
      return result
    }
  }

  private func exchange(_ request: [UInt8]) async throws -> String {
    let socket = try await connected()
    defer { close(socket) }
    if case .udp = target {
      try await sendDatagram(socket)
      return ""
    }
    if request.isEmpty { return "" }
    try await sendAll(request, socket)
    var line: [UInt8] = []
    while line.count < 8192 {
      let bytes = try await receive(socket)
      if bytes.isEmpty { break }
      line += bytes
      if let end = line.firstIndex(of: UInt8(ascii: "\n")) {
        line.removeSubrange(end...)
        break
      }
    }
    if line.last == UInt8(ascii: "\r") { line.removeLast() }
    return String(decoding: line, as: UTF8.self)
  }

  private func sendAll(_ bytes: [UInt8], _ socket: Int32) async throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.send(socket, $0.baseAddress?.advanced(by: sent), $0.count - sent, flags)
      }
      if count > 0 { sent += count }
      if count < 0 { try await waitOrThrow(socket, writable: true, "sending") }
    }
  }

  /// The next bytes; none at the end.
  private func receive(_ socket: Int32) async throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 1024)
    while true {
      let count = buffer.withUnsafeMutableBytes { recv(socket, $0.baseAddress, $0.count, 0) }
      if count >= 0 { return Array(buffer.prefix(count)) }
      try await waitOrThrow(socket, writable: false, "reading")
    }
  }

  private var flags: Int32 { Int32(MSG_NOSIGNAL) }

  private func waitOrThrow(_ socket: Int32, writable: Bool, _ doing: String) async throws {
    guard errno == EAGAIN || errno == EINTR else { throw systemError(doing) }
    if errno == EAGAIN { try await Readiness.shared.wait(socket, writable: writable) }
  }

  private func connected() async throws -> Int32 {
    var last = DroverError(.notFound, "there is no such host")
    for address in try await addresses() {
      let type = if case .udp = target { SOCK_DGRAM } else { SOCK_STREAM }
      let flags = Int32(type.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
      let socket = Glibc.socket(address.family, flags, 0)
      guard socket >= 0 else { throw systemError("making a socket") }
      do {
        try await connect(socket, address)
        return socket
      } catch let error as DroverError {
        close(socket)
        last = error
      } catch {
        close(socket)
        throw error
      }
    }
    throw last
  }

  private func connect(_ socket: Int32, _ address: SocketAddress) async throws {
    let result = address.bytes.withUnsafeBytes { bytes -> Int32 in
      guard let base = bytes.baseAddress else { return -1 }
      return Glibc.connect(socket, base.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
    }
    if result == 0 { return }
    guard errno == EINPROGRESS else { throw systemError("connecting") }
    try await Readiness.shared.wait(socket, writable: true)
    var error: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size)
    if error != 0 { throw systemError("connecting", error) }
  }

  /// Nothing tells that a datagram has arrived, but soon something tells that nobody wanted it.
  private func sendDatagram(_ socket: Int32) async throws {
    let byte: [UInt8] = [0]
    guard byte.withUnsafeBytes({ send(socket, $0.baseAddress, 1, flags) }) == 1 else {
      throw systemError("sending")
    }
    try await surroundings.sleep(min(timeout / 2, .milliseconds(200)))
    var buffer: UInt8 = 0
    if recv(socket, &buffer, 1, Int32(MSG_DONTWAIT)) < 0, errno != EAGAIN {
      throw systemError("sending")
    }
  }

  private struct SocketAddress: Sendable {
    let family: Int32
    let bytes: [UInt8]
  }

  private func addresses() async throws -> [SocketAddress] {
    switch target {
    case .unixSocket(let path):
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      let room = MemoryLayout.size(ofValue: address.sun_path)
      guard path.utf8.count < room else { throw DroverError(.invalid, "the path of a socket is too long: \(path)") }
      withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
      return [SocketAddress(family: AF_UNIX, bytes: withUnsafeBytes(of: &address) { Array($0) })]
    case .tcp(let host, let port), .udp(let host, let port):
      if host == "localhost" {
        return (try? Self.lookUp("127.0.0.1", port, numeric: true)) ?? []
      }
      if let known = try? Self.lookUp(host, port, numeric: true) { return known }
      return try await blocking { try Self.lookUp(host, port, numeric: false) }
    }
  }

  private static func lookUp(_ host: String, _ port: Int, numeric: Bool) throws -> [SocketAddress] {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = AI_NUMERICSERV | (numeric ? AI_NUMERICHOST : 0)
    var list: UnsafeMutablePointer<addrinfo>?
    let failed = getaddrinfo(host, String(port), &hints, &list)
    guard failed == 0 else {
      throw DroverError(.notFound, "cannot find the host \(host): \(String(cString: gai_strerror(failed)))")
    }
    defer { freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = list
    while let info = next?.pointee {
      if let address = info.ai_addr {
        let bytes = UnsafeRawBufferPointer(start: address, count: Int(info.ai_addrlen))
        found.append(SocketAddress(family: info.ai_family, bytes: Array(bytes)))
      }
      next = info.ai_next
    }
    return found
  }
}
