public import Surroundings

/// What became of a resource at one time.
public struct PoolTransition: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable {
    case made, removed, leased, released
    /// Released by somebody else than its holder, who was silent for too long.
    case lost
    /// To another state, by its holder, or by the server when nobody held it.
    case moved
  }

  public var at: Timestamp
  public var kind: Kind
  public var from: String
  public var to: String
  /// Who held it before or since; empty when nobody did.
  public var owner: String
}

/// The latest transitions of all resources together, in memory only: heartbeats are none.
///
/// A ring of a fixed size, in which each entry knows the one before it of the same resource. So it costs the same
/// however many resources there are, and nothing is looked for.
struct TransitionLog: Sendable {
  static let capacity = 50_000
  /// More are not shown of a resource.
  static let mostShown = 20

  private struct Entry {
    var key: String
    var transition: PoolTransition
    var previous: Int
  }

  private var ring: [Entry] = []
  private var next = 0
  private var latest: [String: Int] = [:]
  /// Nothing is known from before that.
  var start = Timestamp(nanoseconds: 0)

  /// - Parameter isTakingBack: whether leases that ended are lost.
  mutating func add(_ changes: [LeaseChange], isTakingBack: Bool) {
    // All at once is a new configuration, and would leave nothing else.
    guard changes.count < Self.capacity / 10 else { return }
    for case .resource(let key, let before, let after) in changes {
      if let transition = Self.transition(before, after, isTakingBack) { add(key, transition) }
    }
  }

  private mutating func add(_ key: String, _ transition: PoolTransition) {
    let entry = Entry(key: key, transition: transition, previous: latest[key] ?? -1)
    if ring.count < Self.capacity {
      ring.append(entry)
    } else {
      let place = next % Self.capacity
      if latest[ring[place].key] == next - Self.capacity { latest[ring[place].key] = nil }
      ring[place] = entry
    }
    latest[key] = next
    next += 1
  }

  private static func transition(
    _ before: PoolRecord?, _ after: PoolRecord?, _ isTakingBack: Bool
  ) -> PoolTransition? {
    switch (before, after) {
    case (nil, nil): return nil
    case (nil, let after?):
      return PoolTransition(at: after.lastUpdate, kind: .made, from: "", to: after.state, owner: "")
    case (let before?, nil):
      return PoolTransition(at: before.lastUpdate, kind: .removed, from: before.state, to: "", owner: "")
    case (let before?, let after?):
      guard before.state != after.state || before.owner != after.owner else { return nil }
      let kind: PoolTransition.Kind =
        switch (before.isOwned, after.isOwned) {
        case (false, true): .leased
        case (true, false): isTakingBack ? .lost : .released
        default: .moved
        }
      return PoolTransition(
        at: after.lastUpdate, kind: kind, from: before.state, to: after.state,
        owner: after.isOwned ? after.owner : before.owner)
    }
  }

  /// The latest transitions of a resource, the latest first.
  subscript(key: String) -> [PoolTransition] {
    var found: [PoolTransition] = []
    var place = latest[key] ?? -1
    while place >= 0, place >= next - Self.capacity, found.count < Self.mostShown {
      let entry = ring[place % Self.capacity]
      found.append(entry.transition)
      place = entry.previous
    }
    return found
  }
}
