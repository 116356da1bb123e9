import Dispatch
import Synchronization

/// Runs a call that blocks its thread (files, unpacking, hashing, looking up a name) apart from the few threads that all
/// tasks share: however many such calls wait, tasks go on.
public func blocking<Result: Sendable>(_ work: @escaping @Sendable () throws -> Result) async throws -> Result {
  if BlockingCalls.areInPlace { return try work() }
  return try await withCheckedThrowingContinuation { continuation in
    BlockingLanes.shared.run { continuation.resume(with: Swift.Result(catching: work)) }
  }
}

/// How calls that block are made.
public enum BlockingCalls {
  /// Whether they are made in the caller's own thread: a simulation has only one.
  @TaskLocal public static var areInPlace = false
}

/// Threads for calls that block, as many as are needed at once, within a limit.
///
/// A queue of Dispatch that does one thing after the other has a thread of its own while it has something to do, beyond
/// those of the tasks; a concurrent queue would take theirs.
private final class BlockingLanes: Sendable {
  static let shared = BlockingLanes(limit: 64)

  private struct State {
    var idle: [DispatchQueue] = []
    var count = 0
    var waiting: [@Sendable () -> Void] = []
    var next = 0
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  func run(_ work: @escaping @Sendable () -> Void) {
    let lane: DispatchQueue? = state.withLock { state in
      if let lane = state.idle.popLast() { return lane }
      guard state.count < limit else {
        state.waiting.append(work)
        return nil
      }
      state.count += 1
      return DispatchQueue(label: "drover.blocking.\(state.count)")
    }
    if let lane { run(work, on: lane) }
  }

  private func run(_ work: @escaping @Sendable () -> Void, on lane: DispatchQueue) {
    lane.async {
      work()
      if let next = self.next(orRest: lane) { self.run(next, on: lane) }
    }
  }

  /// What waits longest; nil when nothing does, and then the lane is idle.
  private func next(orRest lane: DispatchQueue) -> (@Sendable () -> Void)? {
    state.withLock { state in
      guard state.next < state.waiting.count else {
        state.waiting = []
        state.next = 0
        state.idle.append(lane)
        return nil
      }
      let next = state.waiting[state.next]
      state.next += 1
      // What has had its turn is let go of also while there is always somebody who waits.
      if state.next >= limit, state.next * 2 > state.waiting.count {
        state.waiting.removeFirst(state.next)
        state.next = 0
      }
      return next
    }
  }
}
