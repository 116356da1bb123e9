import PoolsProtocol
import Surroundings

/// What is known of the resources of one type without looking at any of them.
struct TypeIndex: Sendable {
  /// A resource by the time of its last use. Of equal times the one that is longer in the table comes first.
  struct Entry: Comparable, Sendable {
    let time: Int64
    let slot: Int32

    static func < (left: Entry, right: Entry) -> Bool {
      left.time == right.time ? left.slot < right.slot : left.time < right.time
    }
  }

  struct StatePool: Sendable {
    var unowned = RankedSet<Entry>()
    var owned = RankedSet<Entry>()
    var isEmpty: Bool { unowned.isEmpty && owned.isEmpty }
  }

  /// By state; states without resources are not there.
  var pools: [String: StatePool] = [:]
  /// How many each owner holds; unowned ones are under an empty name.
  var owners: [String: Int] = [:]
  var count = 0
  /// Of those that are not static: how many there are, are tombstones nobody holds, and are being taken down.
  var dynamicCount = 0
  var tombstones = 0
  var doomed = 0
  /// Unowned ones that end at a time, and are not being taken down, by that time.
  var expiring = RankedSet<Entry>()

  var isEmpty: Bool { count == 0 }

  mutating func add(_ record: PoolRecord, slot: Int32, deadline: Int64?) {
    let entry = Entry(time: record.lastUpdate.nanoseconds, slot: slot)
    if record.isOwned {
      pools[record.state, default: StatePool()].owned.insert(entry)
    } else {
      pools[record.state, default: StatePool()].unowned.insert(entry)
    }
    owners[record.owner, default: 0] += 1
    tally(record, 1)
    if let deadline { expiring.insert(Entry(time: deadline, slot: slot)) }
  }

  mutating func remove(_ record: PoolRecord, slot: Int32, deadline: Int64?) {
    let entry = Entry(time: record.lastUpdate.nanoseconds, slot: slot)
    if record.isOwned {
      pools[record.state]?.owned.remove(entry)
    } else {
      pools[record.state]?.unowned.remove(entry)
    }
    if pools[record.state]?.isEmpty == true { pools[record.state] = nil }
    owners[record.owner, default: 0] -= 1
    if owners[record.owner] == 0 { owners[record.owner] = nil }
    tally(record, -1)
    if let deadline { expiring.remove(Entry(time: deadline, slot: slot)) }
  }

  /// The record is static now, or no longer.
  mutating func flag(from old: PoolRecord, to new: PoolRecord, slot: Int32, before: Int64?, after: Int64?) {
    tally(old, -1)
    tally(new, 1)
    if let before { expiring.remove(Entry(time: before, slot: slot)) }
    if let after { expiring.insert(Entry(time: after, slot: slot)) }
  }

  private mutating func tally(_ record: PoolRecord, _ change: Int) {
    count += change
    guard !record.isStatic else { return }
    dynamicCount += change
    if record.isTombstone { tombstones += change } else if record.isDoomed { doomed += change }
  }

  func metric(_ type: String) -> PoolMetric {
    PoolMetric(
      type: type, current: pools.mapValues { $0.owned.count + $0.unowned.count }, owners: owners)
  }
}
