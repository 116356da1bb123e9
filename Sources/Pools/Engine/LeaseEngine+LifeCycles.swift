import PoolsProtocol
import Surroundings

extension LeaseEngine {
  /// Makes one resource of a dynamic type.
  mutating func create(_ lifeCycle: LifeCycle, _ now: Timestamp) {
    var name = identifier()
    while !table.named(name, type: nil).isEmpty { name = identifier() }
    let state = lifeCycle.initialState.isEmpty ? ResourceState.free : lifeCycle.initialState
    var record = PoolRecord(type: lifeCycle.type, name: name, state: state, lastUpdate: now)
    record.isNamedPerType = namesAreUniquePerType
    set(record)
  }

  /// Brings a dynamic type to what its life cycle wants: removes tombstones, marks what has lived long enough or is too
  /// many, and makes what is missing (reference/boskos.md 5 c). Cheap when there is nothing to do.
  mutating func settle(_ type: String, _ now: Timestamp) {
    guard let lifeCycle = lifeCycles[type] else { return }
    for record in tombstones(type) { set(record.key, nil) }
    while let first = table.types[type]?.expiring.first, first.time < now.nanoseconds, let record = table.record(first)
    {
      mark(record, now)
    }
    var active = table.types[type]?.dynamicCount ?? 0
    while active < lifeCycle.minimum {
      create(lifeCycle, now)
      active += 1
    }
    let surplus = active - (table.types[type]?.doomed ?? 0) - lifeCycle.maximum
    if surplus > 0 { markSurplus(type, surplus, now) }
    if lifeCycle.isEnding, (table.types[type]?.dynamicCount ?? 0) == 0 { set(lifeCycle: type, nil) }
  }

  private func tombstones(_ type: String) -> [PoolRecord] {
    guard let index = table.types[type], index.tombstones > 0, let pool = index.pools[ResourceState.tombstone] else {
      return []
    }
    return pool.unowned.elements.compactMap { table.record($0) }.filter { !$0.isStatic }
  }

  /// Marks those that nobody holds, the highest name first.
  private mutating func markSurplus(_ type: String, _ surplus: Int, _ now: Timestamp) {
    for record in candidates(type).prefix(surplus) { mark(record, now) }
  }

  private func candidates(_ type: String) -> [PoolRecord] {
    var candidates: [PoolRecord] = []
    for (state, pool) in table.types[type]?.pools ?? [:]
    where state != ResourceState.toBeDeleted && state != ResourceState.tombstone {
      for entry in pool.unowned.elements {
        if let record = table.record(entry), !record.isStatic { candidates.append(record) }
      }
    }
    return candidates.sorted { $1.name.utf8.lexicographicallyPrecedes($0.name.utf8) }
  }

  private mutating func mark(_ record: PoolRecord, _ now: Timestamp) {
    var marked = record
    marked.state = ResourceState.toBeDeleted
    marked.lastUpdate = now
    marked.isDoomed = true
    set(marked)
  }

  /// Removes a resource that the configuration no longer names, or replaces it when its name now has another type.
  mutating func settleStatic(_ key: String, _ now: Timestamp) {
    guard isConfigured, let record = table[key], !record.isOwned, !record.isStatic else { return }
    if let wanted = pendingStatic[key] {
      pendingStatic[key] = nil
      set(key, nil)
      if table.named(record.name, type: nil).isEmpty { set(staticRecord(record.name, wanted, now)) }
    } else if lifeCycles[record.type] == nil {
      set(key, nil)
    }
  }

  func staticRecord(_ name: String, _ wanted: StaticResource, _ now: Timestamp) -> PoolRecord {
    var record = PoolRecord(type: wanted.type, name: name, state: wanted.state, lastUpdate: now)
    record.isStatic = true
    record.isNamedPerType = namesAreUniquePerType
    return record
  }

  /// When something ends by itself, the earliest time of all.
  var nextDeadline: Timestamp? {
    lifeCycles.keys.compactMap { table.types[$0]?.expiring.first?.time }.min().map { Timestamp(nanoseconds: $0) }
  }

  /// Does what is due.
  mutating func tick(_ now: Timestamp) {
    for type in Array(lifeCycles.keys) {
      if let first = table.types[type]?.expiring.first, first.time < now.nanoseconds { settle(type, now) }
    }
  }
}
