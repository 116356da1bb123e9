import PoolsProtocol
import Surroundings

extension LeaseEngine {
  /// Brings the tables to what a configuration says (reference/boskos.md 5): resources that it names are made, those that
  /// it no longer names are removed as soon as nobody holds them, dynamic types get its life cycles.
  mutating func configure(_ configuration: PoolsConfiguration, _ now: Timestamp) {
    isConfigured = true
    pendingStatic = [:]
    let wanted = configuration.staticResources
    let cycles = configuration.lifeCycles
    // Static ones that are known: what the configuration names, and what is of a type without any life cycle.
    for slot in 0..<table.slotCount {
      guard let record = table[slot: slot] else { continue }
      if let entry = wanted[record.name] {
        adopt(record, slot, entry, now)
      } else if record.isStatic || (cycles[record.type] == nil && lifeCycles[record.type] == nil) {
        let isDynamic = cycles[record.type] != nil || lifeCycles[record.type] != nil
        if isDynamic || record.isOwned { table.flag(slot: slot, isStatic: false) } else { set(record.name, nil) }
      }
    }
    for (name, entry) in configuration.orderedStatic where table[name] == nil {
      set(name, Self.record(name, entry, now))
    }
    for (type, lifeCycle) in cycles.sorted(by: { $0.key < $1.key }) where lifeCycles[type] != lifeCycle {
      set(lifeCycle: type, lifeCycle)
    }
    for (type, lifeCycle) in lifeCycles.sorted(by: { $0.key < $1.key })
    where cycles[type] == nil && !lifeCycle.isEnding {
      var ending = lifeCycle
      ending.minimum = 0
      ending.maximum = 0
      set(lifeCycle: type, ending)
    }
    for type in lifeCycles.keys.sorted() { settle(type, now) }
  }

  /// A resource is there under a name that the configuration has.
  private mutating func adopt(_ record: PoolRecord, _ slot: Int, _ entry: StaticResource, _ now: Timestamp) {
    if record.type == entry.type {
      table.flag(slot: slot, isStatic: true)
    } else if record.isOwned {
      table.flag(slot: slot, isStatic: false)
      pendingStatic[record.name] = entry
    } else {
      set(record.name, nil)
      set(record.name, Self.record(record.name, entry, now))
    }
  }
}
