public import Surroundings

/// Something that people should know of.
public struct PoolEvent: Sendable, Hashable {
  public enum Kind: String, Sendable, Hashable, CaseIterable {
    /// A lease was taken back from somebody who was silent for too long.
    case leaseLost = "lease-lost"
    /// Fewer resources of a type are free than its `alert-below`, and: as many again.
    case poolLow = "pool-low"
    case poolRecovered = "pool-recovered"
    /// Somebody waits for a resource of a type longer than its `alert-waiting`, and: nobody does any more.
    case waitingLong = "waiting-long"
    case waitingRecovered = "waiting-recovered"
    /// A resource was put aside, since cleaning or building it failed too often.
    case quarantined
    /// The errand that is to clean or build a type cannot be begun, and: it can.
    case errandMissing = "errand-missing"
    case errandFound = "errand-found"
    /// A new configuration has faults and is not in use, and: one without is.
    case configurationRefused = "configuration-refused"
    case configurationLoaded = "configuration-loaded"
  }

  /// Higher than that of every earlier event, also of those before the server's start.
  public var number: Int64
  public var at: Timestamp
  public var kind: Kind
  public var type: String
  public var name: String
  public var owner: String
  public var state: String
  public var message: String
}

/// The latest events, in memory only.
struct EventLog: Sendable {
  static let capacity = 10_000

  private var ring: [PoolEvent] = []
  private var start = 0
  private(set) var last: Int64
  private var first: Int64
  private(set) var counts: [PoolEvent.Kind: Int] = [:]

  /// - Parameter start: now; numbers begin there, in milliseconds, so that they are higher than those before a restart.
  init(start: Timestamp) {
    last = start.nanoseconds / 1_000_000
    first = last + 1
  }

  mutating func add(_ event: PoolEvent) {
    var event = event
    last += 1
    event.number = last
    counts[event.kind, default: 0] += 1
    if ring.count < Self.capacity {
      ring.append(event)
    } else {
      ring[start] = event
      start = (start + 1) % Self.capacity
      first += 1
    }
  }

  /// Whether events after that number may have been forgotten.
  func hasForgotten(after number: Int64) -> Bool { number < first - 1 }

  /// Events after a number, the oldest first.
  func events(after number: Int64) -> some Sequence<PoolEvent> {
    // Numbers have no gaps.
    let skipped = Int(max(0, min(Int64(ring.count), number - first + 1)))
    return (skipped..<ring.count).lazy.map { [ring, start] in ring[(start + $0) % ring.count] }
  }
}

/// Events that were asked for.
public struct PoolEvents: Sendable {
  public var events: [PoolEvent]
  /// The number to go on after.
  public var last: Int64
  /// Whether some that were asked for may be forgotten.
  public var hasForgotten: Bool
}

extension PoolKeeper {
  /// Notes that something happened, and wakes those who wait for it.
  func note(
    _ kind: PoolEvent.Kind, type: String = "", name: String = "", owner: String = "", state: String = "",
    message: String = ""
  ) {
    events.add(
      PoolEvent(
        number: 0, at: surroundings.now(), kind: kind, type: type, name: name, owner: owner, state: state,
        message: message))
    for continuation in listeners.values { continuation.resume() }
    listeners = [:]
  }

  /// The configuration was read anew; nil when it is in use, else what is wrong with it.
  public func noteConfiguration(fault: String?) {
    note(fault == nil ? .configurationLoaded : .configurationRefused, message: fault ?? "")
  }

  /// The errand that cleans or builds a type cannot be begun; nil when it can again.
  public func noteErrand(type: String, obstacle: String?) {
    note(obstacle == nil ? .errandFound : .errandMissing, type: type, message: obstacle ?? "")
  }

  /// Events after a number, at most so many, the oldest first; how often each kind has happened is in ``eventCounts``.
  ///
  /// - Parameter wait: how long to wait for one when there is none.
  public func events(
    after number: Int64, kinds: Set<PoolEvent.Kind>, type: String?, limit: Int, wait: Duration
  ) async -> PoolEvents {
    let deadline = surroundings.elapsed() + wait
    let hasForgotten = events.hasForgotten(after: number)
    var number = number
    while true {
      var found: [PoolEvent] = []
      for event in events.events(after: number) {
        if found.count == limit { return PoolEvents(events: found, last: number, hasForgotten: hasForgotten) }
        number = event.number
        if kinds.isEmpty || kinds.contains(event.kind), type == nil || event.type == type { found.append(event) }
      }
      number = max(number, events.last)
      let rest = deadline - surroundings.elapsed()
      guard found.isEmpty, rest > .zero, !Task.isCancelled, listeners.count < 10_000 else {
        return PoolEvents(events: found, last: number, hasForgotten: hasForgotten)
      }
      await listen(for: rest)
    }
  }

  /// How often each kind of event has happened since the start.
  public var eventCounts: [PoolEvent.Kind: Int] { events.counts }

  private func listen(for duration: Duration) async {
    nextListener += 1
    let listener = nextListener
    let surroundings = surroundings
    let alarm = surroundings.task {
      try? await surroundings.sleep(duration)
      await self.wake(listener: listener)
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { listeners[listener] = $0 }
    } onCancel: {
      // Ends its sleep, and so wakes the listener.
      alarm.cancel()
    }
    alarm.cancel()
  }

  private func wake(listener: Int) { listeners.removeValue(forKey: listener)?.resume() }
}
