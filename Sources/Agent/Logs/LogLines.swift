import Glibc
import Synchronization

/// The lines of a log on their way into its file: each with one write, so that those of several threads do not mix, or
/// several that belong together with one.
final class LogLines: Sendable {
  static let standardError = LogLines(descriptor: STDERR_FILENO)

  private struct State {
    var bytes: [UInt8] = []
    /// How many are writing lines that belong together.
    var holders = 0
  }

  /// More is not kept back.
  private static let room = 65_536
  private let descriptor: Int32
  private let state = Mutex(State())

  init(descriptor: Int32) { self.descriptor = descriptor }

  func add(_ line: String) {
    state.withLock { state in
      state.bytes.append(contentsOf: line.utf8)
      if state.holders == 0 || state.bytes.count > Self.room { write(&state) }
    }
  }

  /// Writes all lines that the body adds, and what others add meanwhile, at its end.
  func together(_ body: () -> Void) {
    state.withLock { $0.holders += 1 }
    body()
    state.withLock { state in
      state.holders -= 1
      if state.holders == 0 { write(&state) }
    }
  }

  private func write(_ state: inout State) {
    guard !state.bytes.isEmpty else { return }
    // Where the disk is full or nobody reads any more, the lines are lost and the agent goes on.
    _ = state.bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
    state.bytes.removeAll(keepingCapacity: state.bytes.count <= Self.room)
  }
}
