import Formats
import Glibc

/// A file that is made piece by piece and appears under its name when it is whole.
final class NewFile {
  private let path: String
  private let temporary: String
  private var descriptor: Int32

  init(_ path: String) throws {
    self.path = path
    temporary = "\(path).part-\(getpid())"
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw Self.failure("creating \(temporary)") }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporary)
  }

  func append(_ bytes: [UInt8]) throws {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw Self.failure("writing \(temporary)") }
      rest = rest.dropFirst(count)
    }
  }

  /// Gives it its name, over whatever file has it.
  func finish() throws {
    guard rename(temporary, path) == 0 else { throw Self.failure("writing \(path)") }
    close(descriptor)
    descriptor = -1
  }

  private static func failure(_ doing: String) -> DroverError {
    DroverError(.failed, "\(doing): \(String(cString: strerror(errno)))")
  }
}
