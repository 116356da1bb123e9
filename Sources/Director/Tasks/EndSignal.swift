import Surroundings

/// Tells any number of waiters, then and later, that something has ended.
final class EndSignal: Sendable {
  private let end = Promise<Void>()

  /// Everybody who waits goes on, and nobody waits any more.
  func set() { end.fulfil(()) }

  /// Waits for the end, or until the waiting task is cancelled.
  func wait() async { _ = await end.valueUnlessCancelled() }
}
