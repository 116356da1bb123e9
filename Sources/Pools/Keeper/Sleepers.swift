import Surroundings

/// Calls that wait in line inside the server, instead of asking again and again.
struct Sleepers {
  struct Sleeper {
    let key: QueueKey
    let requestID: String
    let continuation: CheckedContinuation<Void, Never>
  }

  private var all: [Int: Sleeper] = [:]
  private var byKey: [QueueKey: Set<Int>] = [:]
  private var next = 0

  var isEmpty: Bool { all.isEmpty }

  mutating func number() -> Int {
    next += 1
    return next
  }

  mutating func add(_ number: Int, _ sleeper: Sleeper) {
    all[number] = sleeper
    byKey[sleeper.key, default: []].insert(number)
  }

  mutating func remove(_ number: Int) -> Sleeper? {
    guard let sleeper = all.removeValue(forKey: number) else { return nil }
    byKey[sleeper.key]?.remove(number)
    if byKey[sleeper.key]?.isEmpty == true { byKey[sleeper.key] = nil }
    return sleeper
  }

  func waiting(for key: QueueKey) -> [(number: Int, requestID: String)] {
    (byKey[key] ?? []).compactMap { number in all[number].map { (number, $0.requestID) } }
  }
}

extension PoolKeeper {
  /// Waits until the resource that this request is entitled to may be there, for so long, or until the task is cancelled.
  func sleep(_ key: QueueKey, _ requestID: String, for duration: Duration) async {
    let surroundings = surroundings
    let number = sleepers.number()
    let alarm = surroundings.task {
      try? await surroundings.sleep(duration)
      await self.wake(number)
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        sleepers.add(number, .init(key: key, requestID: requestID, continuation: continuation))
      }
    } onCancel: {
      // Ends its sleep, and so wakes the sleeper.
      alarm.cancel()
    }
    alarm.cancel()
  }

  private func wake(_ number: Int) { sleepers.remove(number)?.continuation.resume() }

  /// Wakes those whose turn it may be now.
  func wake(after changes: [LeaseChange]) {
    guard !sleepers.isEmpty else { return }
    var keys: Set<QueueKey> = []
    for change in changes {
      guard case .resource(_, _, let after?) = change, !after.isOwned else { continue }
      keys.insert(QueueKey(type: after.type, state: after.state))
    }
    for key in keys {
      let waiting = sleepers.waiting(for: key)
      guard !waiting.isEmpty else { continue }
      let available = engine.table.types[key.type]?.pools[key.state]?.unowned.count ?? 0
      for (number, requestID) in waiting where (engine.queues[key]?.rank(requestID) ?? 0) < available { wake(number) }
    }
  }
}
