import Synchronization

/// A value that several tasks change.
final class Locked<Content: Sendable>: Sendable {
  private let content: Mutex<Content>
  init(_ content: Content) { self.content = Mutex(content) }
  func with<Result: Sendable>(_ change: @Sendable (inout Content) -> Result) -> Result {
    content.withLock { change(&$0) }
  }
}
