import Synchronization

/// What is known of a run from its folder, so that it is read once.
final class RunFacts: Sendable {
  let spec = Fact<ScriptSpec>()
  let runner = Fact<ProcessIdentity>()
  let script = Fact<ProcessIdentity>()
  let exit = Fact<ExitRecord>()
}

/// Something that is read once.
final class Fact<Value: Sendable>: Sendable {
  private let known = Mutex<Value?>(nil)

  var isKnown: Bool { known.withLock { $0 != nil } }

  /// What is known, or what is read now; nil, which is not kept, for what is not there yet.
  func once(_ read: () throws -> Value?) rethrows -> Value? {
    if let value = known.withLock({ $0 }) { return value }
    guard let value = try read() else { return nil }
    known.withLock { $0 = value }
    return value
  }

  func change(to value: Value) { known.withLock { $0 = value } }
}
