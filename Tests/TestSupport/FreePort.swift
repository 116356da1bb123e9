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
    if isFree, claim(port) { return port }
  }
  throw DroverError(.failed, "finding a free port: all are taken")
}

/// Whether no other run of tests on this machine has been given the port; it is this process's own until it ends.
private func claim(_ port: Int) -> Bool {
  let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
  guard descriptor >= 0 else { return true }
  var address = sockaddr_un()
  address.sun_family = sa_family_t(AF_UNIX)
  // A name that is no file, and goes with its socket: it begins with a zero.
  let name = [0] + Array("drover-test-port-\(port)".utf8)
  withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
  let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
  let isOurs = withUnsafeMutablePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
  }
  if !isOurs { close(descriptor) }
  return isOurs
}
