import Surroundings

/// When no server was there to take a heartbeat: that time counts towards nobody's expiry.
struct Outages: Sendable, Hashable {
  struct Outage: Sendable, Hashable {
    var end: Timestamp
    var length: Duration
  }

  /// More than these are put together, the oldest first, in favour of those who hold something.
  private static let most = 100

  private(set) var all: [Outage] = []

  init(_ all: [Outage] = []) { self.all = all }

  mutating func add(from start: Timestamp, to end: Timestamp) {
    guard end > start else { return }
    all.append(Outage(end: end, length: end - start))
    if all.count > Self.most {
      all[1].length += all[0].length
      all.removeFirst()
    }
  }

  /// How long no server was there since then.
  func total(since time: Timestamp) -> Duration {
    var total = Duration.zero
    for outage in all.reversed() {
      guard outage.end > time else { break }
      total += outage.length
    }
    return total
  }
}
