import PoolsProtocol
import Surroundings

extension LeaseEngine {
  /// The resource, if this is who holds it. Of several of that name the one that he holds is meant.
  func held(_ name: String, type: String?, by owner: String) throws(PoolFault) -> PoolRecord {
    if table.namesAreUnique {
      guard let record = table[name], type == nil || record.type == type else { throw .nothingAvailable(name) }
      guard record.owner == owner else { throw .ownerDiffers(requested: owner, current: record.owner) }
      return record
    }
    let found = table.named(name, type: type)
    guard let first = found.first else { throw .nothingAvailable(name) }
    let own = found.filter { $0.owner == owner }
    if own.count == 1 { return own[0] }
    guard found.count == 1 else { throw .ambiguous(name, types: found.map(\.type).sorted()) }
    throw .ownerDiffers(requested: owner, current: first.owner)
  }

  /// Hands a resource back.
  ///
  /// - Returns: what it was until then.
  @discardableResult
  mutating func release(
    _ name: String, type: String? = nil, destination: String, owner: String, _ now: Timestamp
  ) throws(PoolFault) -> PooledResource {
    var record = try held(name, type: type, by: owner)
    let held = record
    record.owner = ""
    record.state = destination
    record.lastUpdate = now
    record.grant = nil
    if let lifeCycle = lifeCycles[record.type] {
      if let lifespan = lifeCycle.lifespan { record.expiration = now.advanced(by: lifespan) }
    } else {
      record.expiration = nil
    }
    free(record, now)
    return held.resource
  }

  /// Says that the holder is still there, and lays new user data over the old.
  ///
  /// - Parameter destination: another state that the holder wants it to be in from now on.
  mutating func update(
    _ name: String, type: String? = nil, owner: String, state: String, destination: String? = nil,
    userData: [String: String]?, _ now: Timestamp
  ) throws(PoolFault) {
    var record = try held(name, type: type, by: owner)
    guard record.state == state else { throw .stateDiffers(requested: state, current: record.state) }
    record.lastUpdate = now
    if let destination { record.state = destination }
    if let userData {
      for (key, value) in userData { record.userData[key] = value.isEmpty ? nil : value }
      let size = record.userData.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
      guard size <= Self.largestUserData else { throw .tooLarge(name, size: size, limit: Self.largestUserData) }
    }
    set(record)
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
      free(record, now)
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
  private mutating func free(_ freed: PoolRecord, _ now: Timestamp) {
    var record = freed
    if record.state == ResourceState.toBeDeleted {
      record.isDoomed = true
    } else if record.state != ResourceState.tombstone {
      record.isDoomed = false
    }
    set(record)
    settleStatic(record.key, now)
    settle(record.type, now)
  }
}
