import Messaging
import Synchronization

/// What is to be written down of answers that have gone out: the answer comes first, and the lines of several answers are
/// written together.
final class LateLines: Sendable {
  /// More is not put off.
  private static let maximum = 256
  private let waiting = Mutex<[@Sendable () -> Void]>([])
  private let lines: LogLines

  init(lines: LogLines) { self.lines = lines }

  /// - Parameter body: writes to the log; called once what was published on the bus so far has gone out.
  func add(over bus: any MessageBus, _ body: @escaping @Sendable () -> Void) {
    let count = waiting.withLock { waiting in
      waiting.append(body)
      return waiting.count
    }
    if count == 1 { bus.afterwards { self.write() } } else if count >= Self.maximum { write() }
  }

  private func write() {
    let bodies = waiting.withLock { waiting in
      defer { waiting = [] }
      return waiting
    }
    lines.together { for body in bodies { body() } }
  }
}
