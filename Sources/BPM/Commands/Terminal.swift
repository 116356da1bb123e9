import Glibc

/// Where bpm writes.
struct Terminal: Sendable {
  var write: @Sendable (String) -> Void
  var complain: @Sendable (String) -> Void

  /// This process's own standard output and error.
  static let own = Terminal(write: { emit($0, STDOUT_FILENO) }, complain: { emit($0, STDERR_FILENO) })

  private static func emit(_ text: String, _ fd: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { Glibc.write(fd, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}
