import Documents

/// What a run of operations changed, as writes: of several changes of one document only the last one is written.
struct PoolWrites {
  private var order: [String] = []
  private var writes: [String: Write] = [:]

  var isEmpty: Bool { order.isEmpty }
  var count: Int { order.count }
  var all: [Write] { order.compactMap { writes[$0] } }

  mutating func add(_ changes: [LeaseChange]) {
    for change in changes { add(Self.write(change)) }
  }

  mutating func add(_ write: Write) {
    let key = "\(write.kind)\u{0}\(write.name)"
    if writes.updateValue(write, forKey: key) == nil { order.append(key) }
  }

  private static func write(_ change: LeaseChange) -> Write {
    switch change {
    case .resource(let name, _, let after?): .put(PoolDocuments.resource, name, PoolDocuments.body(after))
    case .resource(let name, _, nil): .delete(PoolDocuments.resource, name)
    case .lifeCycle(let type, _, let after?): .put(PoolDocuments.lifeCycle, type, PoolDocuments.body(after))
    case .lifeCycle(let type, _, nil): .delete(PoolDocuments.lifeCycle, type)
    case .waiter(let key, _, let after?):
      .put(PoolDocuments.waiter, PoolDocuments.name(sequence: after.sequence), PoolDocuments.body(key, after))
    case .waiter(_, let before, nil):
      .delete(PoolDocuments.waiter, PoolDocuments.name(sequence: before?.sequence ?? 0))
    }
  }
}
