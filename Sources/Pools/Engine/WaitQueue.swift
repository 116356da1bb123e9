import Surroundings

/// Who waits for resources of one type in one state, first come first served (reference/boskos.md 3).
struct WaitQueue: Sendable {
  struct Waiter: Sendable, Hashable {
    var id: String
    /// Its place: smaller ones came earlier.
    var sequence: Int64
    /// When it was seen first.
    var createdAt: Timestamp
    /// Until when it counts, unless it asks again.
    var expiry: Timestamp
    /// Whether it counts: its time has not passed.
    var isLive = true
  }

  private struct Expiry: Comparable, Sendable {
    let time: Timestamp
    let sequence: Int64

    static func < (left: Expiry, right: Expiry) -> Bool {
      left.time == right.time ? left.sequence < right.sequence : left.time < right.time
    }
  }

  private var waiters: [String: Waiter] = [:]
  private var ids: [Int64: String] = [:]
  private var live = RankedSet<Int64>()
  private var expiries = RankedSet<Expiry>()
  private var expired: Set<String> = []

  var count: Int { waiters.count }
  var isEmpty: Bool { waiters.isEmpty }
  /// Those whose time has not passed, as of the last look.
  var liveCount: Int { live.count }

  /// The one that came first of those whose time has not passed.
  var firstLive: Waiter? { live.first.flatMap { ids[$0] }.flatMap { waiters[$0] } }

  subscript(id: String) -> Waiter? { waiters[id] }

  /// From 0 on, how many come before a waiter that is live, or before somebody who has no place.
  func rank(_ id: String?) -> Int {
    guard let id, let waiter = waiters[id], waiter.isLive else { return live.count }
    return live.rank(of: waiter.sequence)
  }

  /// Those whose time has passed no longer count, but keep their place until it is cleared away.
  mutating func expire(_ now: Timestamp) {
    while let first = expiries.first, first.time < now {
      expiries.remove(first)
      live.remove(first.sequence)
      guard let id = ids[first.sequence] else { continue }
      waiters[id]?.isLive = false
      expired.insert(id)
    }
  }

  /// A waiter asks again, and so counts until then, from its old place.
  mutating func renew(_ id: String, until expiry: Timestamp) {
    guard var waiter = waiters[id] else { return }
    remove(id)
    waiter.expiry = expiry
    waiter.isLive = true
    add(waiter)
  }

  mutating func add(_ waiter: Waiter) {
    waiters[waiter.id] = waiter
    ids[waiter.sequence] = waiter.id
    guard waiter.isLive else {
      expired.insert(waiter.id)
      return
    }
    live.insert(waiter.sequence)
    expiries.insert(Expiry(time: waiter.expiry, sequence: waiter.sequence))
  }

  @discardableResult
  mutating func remove(_ id: String) -> Waiter? {
    guard let waiter = waiters.removeValue(forKey: id) else { return nil }
    ids[waiter.sequence] = nil
    expired.remove(id)
    guard waiter.isLive else { return waiter }
    live.remove(waiter.sequence)
    expiries.remove(Expiry(time: waiter.expiry, sequence: waiter.sequence))
    return waiter
  }

  /// Those whose time has passed.
  var expiredWaiters: [Waiter] { expired.compactMap { waiters[$0] }.sorted { $0.sequence < $1.sequence } }
  /// All, first one first.
  var all: [Waiter] { waiters.values.sorted { $0.sequence < $1.sequence } }
}

/// What a queue waits for.
struct QueueKey: Hashable, Sendable {
  var type: String
  var state: String
}
