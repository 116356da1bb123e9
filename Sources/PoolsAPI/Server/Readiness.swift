import Synchronization

/// Whether the API takes calls.
final class Readiness: Sendable {
  private let flag = Mutex(false)
  var isReady: Bool { flag.withLock { $0 } }
  func becomeReady() { flag.withLock { $0 = true } }
}
