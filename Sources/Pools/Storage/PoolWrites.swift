import Documents
import Sealing

/// What a run of operations changed, as writes: of several changes of one document only the last one is written.
struct PoolWrites {
  private enum Item {
    case change(LeaseChange)
    case write(Write)
  }

  private struct Key: Hashable {
    let kind: String
    let name: String
  }

  private var items: [Item] = []
  private var places: [Key: Int] = [:]

  var isEmpty: Bool { items.isEmpty }
  var count: Int { items.count }

  /// - Parameter keys: with which user data are sealed; nil leaves them in clear.
  func all(_ keys: SealKeys?) throws -> [Write] {
    try items.map { item in
      switch item {
      case .change(let change): try Self.write(change, keys)
      case .write(let write): write
      }
    }
  }

  mutating func add(_ changes: [LeaseChange]) {
    for change in changes { set(Self.key(change), .change(change)) }
  }

  mutating func add(_ write: Write) { set(Key(kind: write.kind, name: write.name), .write(write)) }

  private mutating func set(_ key: Key, _ item: Item) {
    if let place = places[key] {
      items[place] = item
    } else {
      places[key] = items.count
      items.append(item)
    }
  }

  private static func key(_ change: LeaseChange) -> Key {
    switch change {
    case .resource(let name, _, _): Key(kind: PoolDocuments.resource, name: name)
    case .lifeCycle(let type, _, _): Key(kind: PoolDocuments.lifeCycle, name: type)
    case .waiter(_, let before, let after):
      Key(kind: PoolDocuments.waiter, name: PoolDocuments.name(sequence: (after ?? before)?.sequence ?? 0))
    }
  }

  private static func write(_ change: LeaseChange, _ keys: SealKeys?) throws -> Write {
    switch change {
    case .resource(let key, _, let after?): .put(PoolDocuments.resource, key, try PoolDocuments.body(after, keys))
    case .resource(let key, _, nil): .delete(PoolDocuments.resource, key)
    case .lifeCycle(let type, _, let after?): .put(PoolDocuments.lifeCycle, type, try PoolDocuments.body(after, keys))
    case .lifeCycle(let type, _, nil): .delete(PoolDocuments.lifeCycle, type)
    case .waiter(let key, _, let after?):
      .put(PoolDocuments.waiter, PoolDocuments.name(sequence: after.sequence), PoolDocuments.body(key, after))
    case .waiter(_, let before, nil):
      .delete(PoolDocuments.waiter, PoolDocuments.name(sequence: before?.sequence ?? 0))
    }
  }
}
