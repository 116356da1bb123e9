import CLinux
import Files
import Formats
import Glibc
import Synchronization

/// Copies what comes out of a pipe to a file and to a descriptor of this process.
final class OutputCopier: Sendable {
  private let source: OpenFile
  private let end: Mutex<OpenFile?>
  private let file: OpenFile
  private let descriptor: Int32

  init(to file: OpenFile, _ descriptor: Int32) throws {
    var ends: [Int32] = [0, 0]
    guard drover_pipe(&ends) == 0 else { throw systemError("making a pipe") }
    source = OpenFile("pipe", ends[0])
    end = Mutex(OpenFile("pipe", ends[1]))
    self.file = file
    self.descriptor = descriptor
  }

  /// The end that is given to a program; closed here when copying begins.
  var input: Int32 { end.withLock { $0?.descriptor ?? -1 } }

  /// Copies until nobody can write any more. A target that does not take more is left out.
  func run() throws {
    end.withLock { $0 = nil }
    var open = [file.descriptor, descriptor]
    try source.forEachPiece { piece in open.removeAll { !Self.write($0, piece) } }
  }

  private static func write(_ descriptor: Int32, _ bytes: UnsafeRawBufferPointer) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
      if count < 0, errno == EINTR { continue }
      if count <= 0 { return false }
      rest = rest.dropFirst(count)
    }
    return true
  }
}
