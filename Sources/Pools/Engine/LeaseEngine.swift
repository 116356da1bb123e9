import PoolsProtocol
import Surroundings

/// All that a pool decides: who gets what, who has to wait, what is made and what goes (design D9).
///
/// A value without I/O. An operation looks at the tables, changes them and answers; what it changed is collected in
/// ``changes``, from which it is written to a store, or taken back when that fails.
struct LeaseEngine: Sendable {
  var table = ResourceTable()
  /// Dynamic types, by name.
  var lifeCycles: [String: LifeCycle] = [:]
  var queues: [QueueKey: WaitQueue] = [:]
  var changes: [LeaseChange] = []

  /// How long a place in a queue is kept for somebody who does not ask again.
  var requestTime: Duration = .seconds(30)
  /// The user data of one resource have at most so many bytes, keys and values together.
  static let largestUserData = 1 << 20
  /// More may not wait in all queues together; who comes later has no place.
  var maximumWaiters = 200_000
  /// Names that the configuration gives another type than what is still leased under them, with their first state; by
  /// the key of what is leased.
  var pendingStatic: [String: StaticResource] = [:]
  /// Whether there is a configuration, which says what is to be there.
  var isConfigured = false
  /// Whether new resources need a name that no other of their type has, instead of one that no other has at all.
  var namesAreUniquePerType = false
  var nextSequence: Int64 = 1
  private(set) var waiterCount = 0

  /// Makes up names for dynamic resources.
  let identifier: @Sendable () -> String

  init(identifier: @escaping @Sendable () -> String) { self.identifier = identifier }

  /// A resource that the configuration names.
  struct StaticResource: Sendable, Hashable {
    var type: String
    var state: String
  }

  // Every change goes through these three.

  mutating func set(_ key: String, _ after: PoolRecord?) {
    changes.append(.resource(key, before: table[key], after: after))
    table.set(key, after)
  }

  mutating func set(_ record: PoolRecord) { set(record.key, record) }

  mutating func set(lifeCycle type: String, _ after: LifeCycle?) {
    changes.append(.lifeCycle(type, before: lifeCycles[type], after: after))
    lifeCycles[type] = after
  }

  mutating func set(_ key: QueueKey, before: WaitQueue.Waiter?, after: WaitQueue.Waiter?) {
    changes.append(.waiter(key, before: before, after: after))
    place(key, before: before, after: after)
  }

  private mutating func place(_ key: QueueKey, before: WaitQueue.Waiter?, after: WaitQueue.Waiter?) {
    if let before, queues[key]?.remove(before.id) != nil { waiterCount -= 1 }
    if let after {
      if queues[key]?.remove(after.id) != nil { waiterCount -= 1 }
      queues[key, default: WaitQueue()].add(after)
      waiterCount += 1
    }
    if queues[key]?.isEmpty == true { queues[key] = nil }
  }

  /// What was changed since the last call.
  mutating func takeChanges() -> [LeaseChange] {
    defer { changes = [] }
    return changes
  }

  /// Takes changes back, the last one first.
  mutating func undo(_ undone: [LeaseChange]) {
    for change in undone.reversed() {
      switch change {
      case .resource(let key, let before, _): table.set(key, before)
      case .lifeCycle(let type, let before, _): lifeCycles[type] = before
      case .waiter(let key, let before, let after): place(key, before: after, after: before)
      }
    }
  }

  // What was stored, at start.

  mutating func restore(_ record: PoolRecord) { table.set(record.key, record) }
  mutating func restore(_ lifeCycle: LifeCycle) { lifeCycles[lifeCycle.type] = lifeCycle }

  mutating func restore(_ key: QueueKey, _ waiter: WaitQueue.Waiter) {
    nextSequence = max(nextSequence, waiter.sequence + 1)
    place(key, before: nil, after: waiter)
  }
}
