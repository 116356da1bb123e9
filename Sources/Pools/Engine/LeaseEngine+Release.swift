import PoolsProtocol
import Surroundings

extension LeaseEngine {
  /// The resource, if this is who holds it.
  private func held(_ name: String, by owner: String) throws(PoolFault) -> PoolRecord {
    guard let record = table[name] else { throw .nothingAvailable(name) }
    guard record.owner == owner else { throw .ownerDiffers(requested: owner, current: record.owner) }
    return record
  }

  /// Hands a resource back.
  mutating func release(
    _ name: String, destination: String, owner: String, _ now: Timestamp
  ) throws(PoolFault) {
    var record = try held(name, by: owner)
    let before = record.state
    record.owner = ""
    record.state = destination
    record.lastUpdate = now
    record.grant = nil
    if let lifeCycle = lifeCycles[record.type] {
      if let lifespan = lifeCycle.lifespan { record.expiration = now.advanced(by: lifespan) }
    } else {
      record.expiration = nil
    }
    free(record, was: before, now)
  }

  /// Says that the holder is still there, and lays new user data over the old.
  mutating func update(
    _ name: String, owner: String, state: String, userData: [String: String]?, _ now: Timestamp
  ) throws(PoolFault) {
    var record = try held(name, by: owner)
    guard record.state == state else { throw .stateDiffers(requested: state, current: record.state) }
    record.lastUpdate = now
    for (key, value) in userData ?? [:] { record.userData[key] = value.isEmpty ? nil : value }
    set(name, record)
  }

  /// Takes back what nobody has said a word about for that long. Time without a server does not count.
  ///
  /// - Returns: who held what, by the resources' names.
  mutating func reset(
    type: String, state: String, expiry: Duration, destination: String, _ now: Timestamp
  ) -> [String: String] {
    var owners: [String: String] = [:]
    for before in silent(type, state, expiry, now) {
      owners[before.name] = before.owner
      var record = before
      record.owner = ""
      record.state = destination
      record.lastUpdate = now
      record.grant = nil
      free(record, was: before.state, now)
    }
    return owners
  }

  private func silent(_ type: String, _ state: String, _ expiry: Duration, _ now: Timestamp) -> [PoolRecord] {
    guard let owned = table.types[type]?.pools[state]?.owned else { return [] }
    var found: [PoolRecord] = []
    for entry in owned.elements {
      guard let record = table.record(entry) else { continue }
      let age = now - record.lastUpdate - table.outages.total(since: record.lastUpdate)
      guard age >= expiry else { break }
      found.append(record)
    }
    return found
  }

  /// Stores a resource that nobody holds any more, and does what was waiting for that.
  private mutating func free(_ freed: PoolRecord, was before: String, _ now: Timestamp) {
    var record = freed
    if record.state == ResourceState.toBeDeleted {
      record.isDoomed = true
    } else if record.state != ResourceState.tombstone {
      record.isDoomed = false
    }
    set(record.name, record)
    settleStatic(record.name, now)
    settle(record.type, now)
  }
}
