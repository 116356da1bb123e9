public import PoolsProtocol

extension PoolKeeper {
  /// Resources by name, and type where several have a name; those that come after a name, or after one with a type, at
  /// most so many.
  ///
  /// Looks at all resources, or with a type at all of that type; it is for people, not for a client that leases.
  public func resources(
    type: String?, state: String?, owner: String?, after: (name: String, type: String) = ("", ""), limit: Int
  ) -> [PooledResource] {
    var found: [PoolRecord] = []
    func isAfter(_ record: PoolRecord) -> Bool {
      if after.name.isEmpty || after.name.utf8.lexicographicallyPrecedes(record.name.utf8) { return true }
      return !after.type.isEmpty && record.name == after.name
        && after.type.utf8.lexicographicallyPrecedes(record.type.utf8)
    }
    func consider(_ record: PoolRecord) {
      guard state == nil || record.state == state, owner == nil || record.owner == owner,
        isAfter(record)
      else { return }
      found.append(record)
    }
    if let type {
      for (name, pool) in engine.table.types[type]?.pools ?? [:] where state == nil || name == state {
        for entry in pool.owned.elements { if let record = engine.table.record(entry) { consider(record) } }
        for entry in pool.unowned.elements { if let record = engine.table.record(entry) { consider(record) } }
      }
    } else {
      for record in engine.table.records { consider(record) }
    }
    found.sort {
      $0.name == $1.name
        ? $0.type.utf8.lexicographicallyPrecedes($1.type.utf8) : $0.name.utf8.lexicographicallyPrecedes($1.name.utf8)
    }
    return found.prefix(limit).map(\.resource)
  }

  /// What is held by those whose names begin so, by their names. Looks at all resources.
  public func held(byOwners prefix: String) -> [String: [PooledResource]] {
    var held: [String: [PooledResource]] = [:]
    for record in engine.table.records where record.owner.hasPrefix(prefix) {
      held[record.owner, default: []].append(record.resource)
    }
    return held
  }
}
