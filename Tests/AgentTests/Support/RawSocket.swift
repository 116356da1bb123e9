import Formats
import Glibc
import Processes
import Surroundings

/// A TCP connection to this machine, for tests that say what no client would.
final class RawSocket: Sendable {
  private let descriptor: Int32

  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    guard connected else { throw DroverError(.unavailable, "nobody listens on port \(port)") }
  }

  deinit { Glibc.close(descriptor) }

  /// Whether all of it was taken.
  @discardableResult
  func send(_ bytes: [UInt8]) async throws -> Bool {
    let descriptor = descriptor
    return try await blocking {
      var rest = bytes[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
      }
      return true
    }
  }

  @discardableResult
  func send(_ text: String) async throws -> Bool { try await send(Array(text.utf8)) }

  /// What comes until a text has come, or the other side has closed.
  func receive(until end: String? = nil) async throws -> String {
    let descriptor = descriptor
    return try await blocking {
      var text = ""
      var buffer = [UInt8](repeating: 0, count: 4096)
      // By its parts: a line's end is one character, in which no other one is found.
      while end.map({ !text.unicodeScalars.contains($0.unicodeScalars) }) ?? true {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { break }
        text += String(decoding: buffer.prefix(count), as: UTF8.self)
      }
      return text
    }
  }
}

/// A unix socket that takes datagrams, as syslog has one.
final class DatagramSocket: Sendable {
  private let descriptor: Int32

  init(path: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let bound = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) == 0
      }
    }
    guard bound else { throw systemError("binding \(path)") }
  }

  deinit { Glibc.close(descriptor) }

  /// The next datagram; empty when none comes.
  func next() async throws -> String {
    let descriptor = descriptor
    return try await blocking {
      var buffer = [UInt8](repeating: 0, count: 65_536)
      let count = recv(descriptor, &buffer, buffer.count, 0)
      return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
    }
  }
}
