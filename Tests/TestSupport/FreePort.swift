import Formats
import Glibc
import Synchronization

private let lastPort = Mutex(18000 + Int(getpid()) % 10000)

/// A port that nobody uses: below those that the system gives out by itself, and given to one test only.
public func freePort() throws -> Int {
  for _ in 0..<1000 {
    let port = lastPort.withLock { port in
      port = port >= 32000 ? 18000 : port + 1
      return port
    }
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { break }
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    // Asked by connecting, not by binding: a process forked meanwhile would hold the port for a moment.
    let isFree = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        connect(descriptor, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) != 0 && errno == ECONNREFUSED
      }
    }
    if isFree { return port }
  }
  throw DroverError(.failed, "finding a free port: all are taken")
}
