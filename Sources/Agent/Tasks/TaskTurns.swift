/// Lets so many tasks of each method run at once; the others wait in the order in which they came. For one actor.
struct TaskTurns {
  /// Scripts of so many errands may run at once.
  var limit = 64
  private var running: [String: Int] = [:]
  private var queues: [String: [String]] = [:]
  private var waiting: [String: CheckedContinuation<Void, Never>] = [:]
  private var granted: Set<String> = []

  init() {}

  /// Takes a place in the queue of a method.
  mutating func request(_ method: String, _ id: String) {
    if running[method, default: 0] < limit {
      grant(method, id)
    } else {
      queues[method, default: []].append(id)
    }
  }

  func isGranted(_ id: String) -> Bool { granted.contains(id) }

  /// Resumes when it is the task's turn.
  mutating func wait(_ id: String, _ continuation: CheckedContinuation<Void, Never>) {
    if granted.contains(id) { continuation.resume() } else { waiting[id] = continuation }
  }

  /// The task is over: the next one's turn.
  mutating func leave(_ method: String, _ id: String) {
    guard granted.remove(id) != nil else { return }
    running[method, default: 1] -= 1
    if running[method, default: 0] < limit, let next = queues[method]?.first {
      queues[method]?.removeFirst()
      grant(method, next)
    }
  }

  /// A task that waits need not any more: it has been asked to stop.
  mutating func hurry(_ method: String, _ id: String) {
    guard let place = queues[method]?.firstIndex(of: id) else { return }
    queues[method]?.remove(at: place)
    grant(method, id)
  }

  private mutating func grant(_ method: String, _ id: String) {
    running[method, default: 0] += 1
    granted.insert(id)
    waiting.removeValue(forKey: id)?.resume()
  }
}
