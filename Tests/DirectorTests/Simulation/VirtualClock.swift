import Formats
import Surroundings
import Synchronization
import TestSupport

/// Time that passes when nobody has anything to do: whoever sleeps is woken in order, and hours take milliseconds.
///
/// Whether somebody has something to do is guessed: everything in the simulation says ``touch()`` when it does something,
/// and when nothing was said for a moment the clock goes on to the next sleeper. A guess that is wrong lets a sleeper
/// wake too early, as on a slow machine.
final class VirtualClock: Sendable {
  private struct Sleeper {
    let deadline: Duration
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now = Duration.zero
    var sleepers: [Int: Sleeper] = [:]
    var nextID = 0
    var activity = 0
  }

  private let state = Mutex(State())
  private let random: Mutex<SeededRandom>
  private let pump = Mutex<Task<Void, Never>?>(nil)

  init(seed: UInt64) { random = Mutex(SeededRandom(seed: seed)) }

  func start() {
    let task = Task { await self.run() }
    pump.withLock { $0 = task }
  }

  func stop() {
    pump.withLock { $0?.cancel() }
  }

  var now: Duration { state.withLock { $0.now } }

  /// Says that something is being done.
  func touch() { state.withLock { $0.activity += 1 } }

  func sleep(_ duration: Duration) async throws {
    try Task.checkCancellation()
    guard duration > .zero else { return await Task.yield() }
    let id = state.withLock { state in
      state.nextID += 1
      state.activity += 1
      return state.nextID
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let isCancelled = state.withLock { state in
          if Task.isCancelled { return true }
          state.sleepers[id] = Sleeper(deadline: state.now + duration, continuation: continuation)
          return false
        }
        if isCancelled { continuation.resume(throwing: CancellationError()) }
      }
    } onCancel: {
      let sleeper = state.withLock { $0.sleepers.removeValue(forKey: id) }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }

  private func run() async {
    while !Task.isCancelled {
      // Whoever can run stands before this task in the executor's queue, and has had several turns now.
      let (before, isIdle) = state.withLock { ($0.activity, $0.sleepers.isEmpty) }
      for _ in 0..<10 { await Task.yield() }
      if isIdle { try? await Task.sleep(for: .microseconds(100)) }
      guard state.withLock({ $0.activity }) == before else { continue }
      // A leap over seconds is a timeout, or a thread that the system has put aside in the middle of its work.
      let leap = state.withLock { state in (state.sleepers.values.map(\.deadline).min() ?? state.now) - state.now }
      if leap > .seconds(2) {
        guard await isCalm(moments: leap > .seconds(20) ? 5 : 1), state.withLock({ $0.activity }) == before else {
          continue
        }
      }
      let due = state.withLock { state -> [Sleeper] in
        guard let first = state.sleepers.values.map(\.deadline).min() else { return [] }
        state.now = max(state.now, first + .milliseconds(2))
        let due = state.sleepers.filter { $0.value.deadline <= state.now }
        for id in due.keys { state.sleepers[id] = nil }
        return due.values.sorted { $0.deadline < $1.deadline }
      }
      for sleeper in due { sleeper.continuation.resume() }
    }
  }

  /// A number below `limit`.
  func chance(_ limit: Int) -> Int { random.withLock { Int.random(in: 0..<max(1, limit), using: &$0) } }

  var surroundings: Surroundings {
    let bytes: @Sendable (Int) -> [UInt8] = { count in
      self.random.withLock { random in (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) } }
    }
    return Surroundings(
      now: { Timestamp(seconds: 1_800_000_000) + self.now }, elapsed: { self.now },
      sleep: { try await self.sleep($0) }, identifier: { Surroundings.uuidText(bytes(16)) }, randomBytes: bytes)
  }

  /// Whether a number of moments passed in each of which the machine had time for this task, and for the threads of
  /// calls that block. A machine that has not, has not had any for whoever is at work here, either.
  private func isCalm(moments: Int) async -> Bool {
    let clock = ContinuousClock()
    for _ in 0..<moments {
      let begin = clock.now
      try? await Task.sleep(for: .milliseconds(8))
      try? await blocking {}
      if clock.now - begin > .milliseconds(16) { return false }
    }
    return true
  }
}
