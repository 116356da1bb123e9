/// Which tasks have ended: of each type and user the latest are kept, up to a limit.
///
/// What a task has started is kept as long as itself, and the runs of a schedule as long as the schedule says.
struct TaskHistory: Sendable {
  private struct Group: Hashable {
    var type: String
    var user: String
  }

  let limit: Int
  private var ended: [Group: [Int]] = [:]
  private var children: [Int: [Int]] = [:]

  init(limit: Int) { self.limit = limit }

  /// Notes the tasks that a store has, those first that were started by others. One whose starter is gone counts for itself.
  ///
  /// - Returns: those that are to be forgotten now.
  mutating func restore(_ records: [TaskRecord]) -> [Int] {
    let known = Set(records.map(\.id))
    var own: [TaskRecord] = []
    for var record in records where record.state.isFinal {
      if let parent = record.parent, known.contains(parent) {
        children[parent, default: []].append(record.id)
      } else {
        record.parent = nil
        own.append(record)
      }
    }
    return own.flatMap { add($0) }
  }

  /// Notes that a task has ended. Called in the order of their ends, or of their ids for what a store has.
  ///
  /// - Returns: the tasks that are to be forgotten now.
  mutating func add(_ record: TaskRecord) -> [Int] {
    if let parent = record.parent {
      children[parent, default: []].append(record.id)
      return []
    }
    if let cause = record.cause, cause.kind != .trigger { return [] }
    let group = Group(type: record.type, user: record.user)
    ended[group, default: []].append(record.id)
    guard let count = ended[group]?.count, count > limit else { return [] }
    let old = ended[group]?.prefix(count - limit) ?? []
    ended[group]?.removeFirst(count - limit)
    return old.flatMap { [$0] + (children.removeValue(forKey: $0) ?? []) }
  }
}
