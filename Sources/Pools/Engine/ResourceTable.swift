import PoolsProtocol
import Surroundings

/// All resources, by name, and by type and state in the order of their last use.
struct ResourceTable: Sendable {
  private var slots: [PoolRecord?] = []
  private var unused: [Int32] = []
  private var byName: [String: Int32] = [:]
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

  var count: Int { byName.count }

  subscript(name: String) -> PoolRecord? { byName[name].flatMap { slots[Int($0)] } }

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
    byName.reserveCapacity(count)
  }

  /// Puts a record in the place of whatever has its name; nil removes it.
  mutating func set(_ name: String, _ record: PoolRecord?) {
    var slot = byName[name]
    if let found = slot, let old = slots[Int(found)] {
      let deadline = deadline(old)
      types[old.type]?.remove(old, slot: found, deadline: deadline)
      if types[old.type]?.isEmpty == true { types[old.type] = nil }
      if let key = Self.grantKey(old), granted[key] == name { granted[key] = nil }
    }
    guard let record else {
      guard let found = slot else { return }
      slots[Int(found)] = nil
      unused.append(found)
      byName[name] = nil
      return
    }
    if slot == nil {
      if let free = unused.popLast() {
        slot = free
      } else {
        slots.append(nil)
        slot = Int32(slots.count - 1)
      }
      byName[name] = slot
    }
    guard let slot else { return }
    slots[Int(slot)] = record
    let deadline = deadline(record)
    types[record.type, default: TypeIndex()].add(record, slot: slot, deadline: deadline)
    if let key = Self.grantKey(record) { granted[key] = name }
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
      type: record.type, owner: record.owner, from: grant.from, to: record.state, requestID: grant.requestID)
  }
}
