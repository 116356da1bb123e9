import Formats
import Surroundings
import Synchronization
import TestSupport

/// Time that passes when nobody has anything to do: whoever sleeps is woken in order, and hours take milliseconds.
///
/// All tasks of a simulation run one after the other in one thread, so it is known when nobody has anything to do, and
/// two runs with one seed do the same in the same order, as far as Swift's hashing is the same
/// (`SWIFT_DETERMINISTIC_HASHING`).
final class VirtualClock: Sendable {
  private struct Sleeper {
    let deadline: Duration
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now = Duration.zero
    var sleepers: [Int: Sleeper] = [:]
    var nextID = 0
  }

  private let state = Mutex(State())
  private let random: Mutex<SeededRandom>
  private let executor = SimulationExecutor()

  init(seed: UInt64) {
    random = Mutex(SeededRandom(seed: seed))
    executor.whenIdle { [weak self] in self?.advance() }
  }

  /// Runs a body, and every task that it begins with these surroundings, in the time of this clock.
  func run<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
    try await BlockingCalls.$areInPlace.withValue(true) {
      try await withTaskExecutorPreference(executor) { try await body() }
    }
  }

  var now: Duration { state.withLock { $0.now } }

  func sleep(_ duration: Duration) async throws {
    try Task.checkCancellation()
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let isCancelled = state.withLock { state in
          if Task.isCancelled { return true }
          state.sleepers[id] = Sleeper(deadline: state.now + max(.zero, duration), continuation: continuation)
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  /// Goes on to the moment when the next one wants to be woken, and wakes all who want it at that moment.
  private func advance() {
    let due = state.withLock { state -> [Sleeper] in
      guard let first = state.sleepers.values.map(\.deadline).min() else { return [] }
      state.now = max(state.now, first)
      let due = state.sleepers.filter { $0.value.deadline <= first }.sorted { $0.key < $1.key }
      for (id, _) in due { state.sleepers[id] = nil }
      return due.map(\.value)
    }
    for sleeper in due { sleeper.continuation.resume() }
  }

  /// A number below `limit`.
  func chance(_ limit: Int) -> Int { random.withLock { Int.random(in: 0..<max(1, limit), using: &$0) } }

  var surroundings: Surroundings {
    let bytes: @Sendable (Int) -> [UInt8] = { count in
      self.random.withLock { random in (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }
    }
    return Surroundings(
      now: { Timestamp(seconds: 1_800_000_000) + self.now }, elapsed: { self.now },
      sleep: { try await self.sleep($0) }, identifier: { Surroundings.uuidText(bytes(16)) }, randomBytes: bytes,
      executor: executor)
  }
}
