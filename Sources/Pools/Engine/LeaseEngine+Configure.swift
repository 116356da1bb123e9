import PoolsProtocol
import Surroundings

extension LeaseEngine {
  /// Brings the tables to what a configuration says (reference/boskos.md 5): resources that it names are made, those that
  /// it no longer names are removed as soon as nobody holds them, dynamic types get its life cycles.
  mutating func configure(_ configuration: PoolsConfiguration, _ now: Timestamp) {
    beginConfiguring(configuration, now)
    var rest = configuration.orderedStatic.makeIterator()
    while makeStatic(&rest, 10_000, now) {}
    endConfiguring(configuration, now)
  }

  /// The first step: what is there is adopted, or removed.
  mutating func beginConfiguring(_ configuration: PoolsConfiguration, _ now: Timestamp) {
    isConfigured = true
    pendingStatic = [:]
    namesAreUniquePerType = configuration.namesAreUniquePerType
    let wanted = configuration.staticResources
    let cycles = configuration.lifeCycles
    // Static ones that are known: what the configuration names, and what is of a type without any life cycle.
    for slot in 0..<table.slotCount {
      guard let record = table[slot: slot] else { continue }
      let key = namesAreUniquePerType ? PoolRecord.key(record.name, record.type) : record.name
      if let entry = wanted[key] {
        adopt(record, slot, entry, now)
      } else if record.isStatic || (cycles[record.type] == nil && lifeCycles[record.type] == nil) {
        let isDynamic = cycles[record.type] != nil || lifeCycles[record.type] != nil
        if isDynamic || record.isOwned { table.flag(slot: slot, isStatic: false) } else { set(record.key, nil) }
      }
    }
  }

  /// The next steps: makes static resources that are missing, of as many names at a time.
  ///
  /// - Returns: whether there may be more.
  mutating func makeStatic(
    _ rest: inout some IteratorProtocol<(String, StaticResource)>, _ count: Int, _ now: Timestamp
  ) -> Bool {
    for _ in 0..<count {
      guard let (name, entry) = rest.next() else { return false }
      if table.named(name, type: namesAreUniquePerType ? entry.type : nil).isEmpty {
        set(staticRecord(name, entry, now))
      }
    }
    return true
  }

  /// The last step: dynamic types.
  mutating func endConfiguring(_ configuration: PoolsConfiguration, _ now: Timestamp) {
    let cycles = configuration.lifeCycles
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
      pendingStatic[record.key] = entry
    } else {
      // It is made anew with all that are not there.
      set(record.key, nil)
    }
  }
}
