/// Names with the times at which they want to be looked at, the earliest first: a binary heap in which what is out of
/// date is left until its turn comes.
struct WakeQueue: Sendable {
  private struct Entry: Sendable {
    var time: Int
    var name: String
    var number: Int
  }

  private var heap: [Entry] = []
  /// The entry that counts for a name.
  private var current: [String: Int] = [:]
  private var next = 0

  /// Sets when a name wants to be looked at; nil for never.
  mutating func set(_ name: String, _ time: Int?) {
    guard let time else {
      current[name] = nil
      return
    }
    next += 1
    current[name] = next
    heap.append(Entry(time: time, name: name, number: next))
    var index = heap.count - 1
    while index > 0, heap[index].time < heap[(index - 1) / 2].time {
      heap.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
    // Not more of what is out of date than of what counts.
    if heap.count > 2 * current.count + 16 { tidy() }
  }

  /// Whether a name wants to be looked at.
  func isWaiting(_ name: String) -> Bool { current[name] != nil }

  /// The earliest time; nil when nobody wants to be looked at.
  mutating func first() -> Int? {
    while let entry = heap.first {
      if current[entry.name] == entry.number { return entry.time }
      removeFirst()
    }
    return nil
  }

  /// Takes out all whose time has come.
  mutating func take(until now: Int) -> [String] {
    var names: [String] = []
    while let time = first(), time <= now {
      names.append(heap[0].name)
      current[heap[0].name] = nil
      removeFirst()
    }
    return names
  }

  private mutating func removeFirst() {
    let last = heap.removeLast()
    guard !heap.isEmpty else { return }
    heap[0] = last
    var index = 0
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2]
      where child < heap.count && heap[child].time < heap[least].time {
        least = child
      }
      if least == index { return }
      heap.swapAt(index, least)
      index = least
    }
  }

  private mutating func tidy() {
    // In order they are a heap.
    heap = heap.filter { current[$0.name] == $0.number }.sorted { $0.time < $1.time }
  }
}
