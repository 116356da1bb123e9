import Synchronization

/// What is known of a run from its folder, so that it is read once.
final class RunFacts: Sendable {
  let spec = Fact<ScriptSpec>()
  let journal = Mutex(RunJournal())
}

/// What a run's journal says, up to a length of it: a journal only grows.
struct RunJournal: Sendable {
  /// Bytes that were read; nil when there was none.
  var size: Int?
  var runner: ProcessIdentity?
  var script: ProcessIdentity?
  var exit: ExitRecord?
}

/// Something that is read once.
final class Fact<Value: Sendable>: Sendable {
  private let known = Mutex<Value?>(nil)

  /// What is known, or what is read now; nil, which is not kept, for what is not there yet.
  func once(_ read: () throws -> Value?) rethrows -> Value? {
    if let value = known.withLock({ $0 }) { return value }
    guard let value = try read() else { return nil }
    known.withLock { $0 = value }
    return value
  }
}
