public import PoolsProtocol

extension PoolKeeper {
  /// Resources by name, those that come after a name, at most so many.
  ///
  /// Looks at all resources, or with a type at all of that type; it is for people, not for a client that leases.
  public func resources(
    type: String?, state: String?, owner: String?, after: String, limit: Int
  ) -> [PooledResource] {
    var found: [PoolRecord] = []
    func consider(_ record: PoolRecord) {
      guard state == nil || record.state == state, owner == nil || record.owner == owner,
        after.isEmpty || after.utf8.lexicographicallyPrecedes(record.name.utf8)
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
    found.sort { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }
    return found.prefix(limit).map(\.resource)
  }
}
