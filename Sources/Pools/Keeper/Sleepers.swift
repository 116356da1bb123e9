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

  mutating func add(_ sleeper: Sleeper) -> Int {
    next += 1
    all[next] = sleeper
    byKey[sleeper.key, default: []].insert(next)
    return next
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
  /// Waits until the resource that this request is entitled to may be there, or for so long.
  func sleep(_ key: QueueKey, _ requestID: String, for duration: Duration) async {
    let surroundings = surroundings
    await withCheckedContinuation { continuation in
      let number = sleepers.add(.init(key: key, requestID: requestID, continuation: continuation))
      surroundings.task {
        try? await surroundings.sleep(duration)
        await self.wake(number)
      }
    }
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
