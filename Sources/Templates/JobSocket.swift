import CLinux
import Formats
import Glibc
import Synchronization

/// Our end of the socket to the process of one job.
final class JobSocket: Sendable {
  /// The descriptor; -1 when closed.
  private let descriptor: Mutex<CInt>

  struct Reply: Sendable {
    var bytes: [UInt8] = []
    /// Whether there would have been more than was allowed.
    var tooLarge = false
  }

  /// - Returns: our end, and the descriptor of the other, which the caller closes.
  static func pair() throws -> (JobSocket, other: CInt) {
    var sockets: [CInt] = [-1, -1]
    let error = drover_socket_pair(0, &sockets)
    guard error == 0 else {
      throw systemError("making a socket for a job's templates", error)
    }
    return (JobSocket(sockets[0]), sockets[1])
  }

  private init(_ descriptor: CInt) { self.descriptor = Mutex(descriptor) }

  deinit { descriptor.withLock { if $0 >= 0 { _ = Glibc.close($0) } } }

  /// Sends the request and reads until the other end is closed. Blocks.
  func exchange(_ request: [UInt8], limit: Int) -> Reply {
    let socket = descriptor.withLock { $0 }
    var sent = 0
    while sent < request.count {
      let count = request[sent...].withUnsafeBytes {
        send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL))
      }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { break }
      sent += count
    }
    var reply = Reply()
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = buffer.withUnsafeMutableBytes { read(socket, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return reply }
      guard reply.bytes.count + count <= limit else {
        reply.tooLarge = true
        return reply
      }
      reply.bytes += buffer[..<count]
    }
  }

  /// Ends an exchange that another thread is in.
  func hangUp() {
    descriptor.withLock { if $0 >= 0 { _ = shutdown($0, CInt(SHUT_RDWR)) } }
  }
}
