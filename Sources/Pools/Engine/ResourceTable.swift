import PoolsProtocol
import Surroundings

/// All resources, by name, and by type and state in the order of their last use.
struct ResourceTable: Sendable {
  private var slots: [PoolRecord?] = []
  private var unused: [Int32] = []
  private var byKey: [String: Int32] = [:]
  /// The types of resources whose names are unique per type only, by name.
  private var namesakes: [String: [String]] = [:]
  private(set) var types: [String: TypeIndex] = [:]
  /// Which resource a request got, for clients that ask again.
  private var granted: [GrantKey: String] = [:]
  var outages = Outages()

  struct GrantKey: Hashable, Sendable {
    var type: String
    var owner: String
    var from: String
    var to: String
    var requestID: String
  }

  var count: Int { byKey.count }

  /// By its key, which is the name where names are unique over all types.
  subscript(key: String) -> PoolRecord? { byKey[key].flatMap { slots[Int($0)] } }

  /// Whether every resource is known by its name alone.
  var namesAreUnique: Bool { namesakes.isEmpty }

  /// All of that name, or the one of that name and type.
  func named(_ name: String, type: String?) -> [PoolRecord] {
    if namesakes.isEmpty {
      guard let record = self[name], type == nil || record.type == type else { return [] }
      return [record]
    }
    var found: [PoolRecord] = []
    if let record = self[name], !record.isNamedPerType { found.append(record) }
    for type in namesakes[name] ?? [] {
      if let record = self[PoolRecord.key(name, type)] { found.append(record) }
    }
    return type == nil ? found : found.filter { $0.type == type }
  }

  /// The record of an entry of an index.
  func record(_ entry: TypeIndex.Entry) -> PoolRecord? { slots[Int(entry.slot)] }

  /// Every resource, in no order that means something.
  var records: some Sequence<PoolRecord> { slots.lazy.compactMap { $0 } }

  /// How many places there are, some of them empty.
  var slotCount: Int { slots.count }
  subscript(slot slot: Int) -> PoolRecord? { slots[slot] }

  /// Notes whether the configuration names it, which changes nothing else of it.
  mutating func flag(slot: Int, isStatic: Bool) {
    guard let old = slots[slot], old.isStatic != isStatic else { return }
    let before = deadline(old)
    slots[slot]?.isStatic = isStatic
    guard let new = slots[slot] else { return }
    let after = deadline(new)
    types[new.type]?.flag(from: old, to: new, slot: Int32(slot), before: before, after: after)
  }

  func granted(_ key: GrantKey) -> PoolRecord? { granted[key].flatMap { self[$0] } }

  mutating func reserve(_ count: Int) {
    slots.reserveCapacity(count)
    byKey.reserveCapacity(count)
  }

  /// Puts a record in the place of whatever has its key; nil removes it.
  mutating func set(_ key: String, _ record: PoolRecord?) {
    var slot = byKey[key]
    let old = slot.flatMap { slots[Int($0)] }
    if let found = slot, let old {
      let deadline = deadline(old)
      types[old.type]?.remove(old, slot: found, deadline: deadline)
      if types[old.type]?.isEmpty == true { types[old.type] = nil }
      if let grant = Self.grantKey(old), granted[grant] == key { granted[grant] = nil }
    }
    guard let record else {
      guard let found = slot else { return }
      slots[Int(found)] = nil
      unused.append(found)
      byKey[key] = nil
      if let old, old.isNamedPerType { forgetNamesake(old) }
      return
    }
    if slot == nil {
      if let free = unused.popLast() {
        slot = free
      } else {
        slots.append(nil)
        slot = Int32(slots.count - 1)
      }
      byKey[key] = slot
      if record.isNamedPerType { namesakes[record.name, default: []].append(record.type) }
    }
    guard let slot else { return }
    slots[Int(slot)] = record
    let deadline = deadline(record)
    types[record.type, default: TypeIndex()].add(record, slot: slot, deadline: deadline)
    if let grant = Self.grantKey(record) { granted[grant] = key }
  }

  private mutating func forgetNamesake(_ record: PoolRecord) {
    namesakes[record.name]?.removeAll { $0 == record.type }
    if namesakes[record.name]?.isEmpty == true { namesakes[record.name] = nil }
  }

  /// When the resource has to be taken down, if it is to be at a time.
  private func deadline(_ record: PoolRecord) -> Int64? {
    guard let expiration = record.expiration, !record.isOwned, !record.isStatic,
      record.state != ResourceState.toBeDeleted, record.state != ResourceState.tombstone
    else { return nil }
    return expiration.advanced(by: outages.total(since: record.lastUpdate)).nanoseconds
  }

  static func grantKey(_ record: PoolRecord) -> GrantKey? {
    guard let grant = record.grant, record.isOwned else { return nil }
    return GrantKey(
      type: record.type, owner: record.owner, from: grant.from, to: grant.to, requestID: grant.requestID)
  }
}
