import Surroundings

/// Which finished tasks are forgotten: what is older than a day, and the oldest beyond a number.
struct TaskRetention: Sendable, Hashable {
  var maximumAge: Duration = .seconds(24 * 3600)
  var maximumCount = 200

  /// The ids to forget, of finished tasks given by the time they ended.
  func expired(_ finished: [(id: String, endedAt: Timestamp)], now: Timestamp) -> [String] {
    let newestFirst = finished.sorted { $0.endedAt > $1.endedAt }
    return newestFirst.enumerated().filter { place, task in
      place >= maximumCount || now - task.endedAt > maximumAge
    }.map(\.element.id)
  }
}
