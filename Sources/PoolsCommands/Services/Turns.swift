import PoolsProtocol
import Synchronization

/// Work on resources of several types beside each other, at most so much of it. Types take turns, so that one with many
/// resources does not starve the others.
struct Turns: Sendable {
  private let slots: Slots

  init(width: Int) { slots = Slots(max(1, width)) }

  /// Takes one resource of each type in turn, until no type has any. Work goes on in the group afterwards.
  ///
  /// - Parameters:
  ///   - take: a resource of the type, or nil when there is none.
  ///   - work: whether the type has further turns in this round.
  func round(
    _ types: [String], in group: inout DiscardingTaskGroup, take: (String) async -> PooledResource?,
    work: @escaping @Sendable (PooledResource) async -> Bool
  ) async {
    let closed = Closed()
    var open = types
    while !open.isEmpty, !Task.isCancelled {
      for type in open {
        await slots.take()
        guard !Task.isCancelled, !closed.contains(type), let resource = await take(type) else {
          slots.give()
          open.removeAll { $0 == type }
          continue
        }
        group.addTask {
          if await !work(resource) { closed.insert(type) }
          slots.give()
        }
      }
    }
  }

  /// Work on something that was taken before: it waits for no place, since others hold what it works on already.
  func takeUp(in group: inout DiscardingTaskGroup, _ work: @escaping @Sendable () async -> Void) {
    slots.takeAnyway()
    group.addTask {
      await work()
      slots.give()
    }
  }

  private final class Closed: Sendable {
    private let types = Mutex(Set<String>())
    func contains(_ type: String) -> Bool { types.withLock { $0.contains(type) } }
    func insert(_ type: String) { types.withLock { _ = $0.insert(type) } }
  }
}

/// A number of places, each for one at a time; who finds none waits, first come first served.
final class Slots: Sendable {
  private struct State {
    var free: Int
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>
  init(_ count: Int) { state = Mutex(State(free: count)) }

  /// Waits for a place, also when the task is cancelled: those who have one are cancelled as well, and give it back.
  func take() async {
    await withCheckedContinuation { continuation in
      let isFree = state.withLock { state in
        guard state.free <= 0 else {
          state.free -= 1
          return true
        }
        state.waiting.append(continuation)
        return false
      }
      if isFree { continuation.resume() }
    }
  }

  /// Takes a place also when there is none: so many the fewer are there until it is given back.
  func takeAnyway() { state.withLock { $0.free -= 1 } }

  func give() {
    let next = state.withLock { state -> CheckedContinuation<Void, Never>? in
      state.free += 1
      guard state.free > 0, !state.waiting.isEmpty else { return nil }
      state.free -= 1
      return state.waiting.removeFirst()
    }
    next?.resume()
  }
}
