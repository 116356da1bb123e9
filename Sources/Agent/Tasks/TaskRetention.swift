import Surroundings

/// Which finished tasks are forgotten, with all that their scripts printed: what is older than a day, and the oldest
/// beyond a number, or beyond a size of output. The newest one stays. Those whose outcome nobody has asked for yet may
/// be many more: when many were queued, their ends come faster than anybody asks.
struct TaskRetention: Sendable, Hashable {
  var maximumAge: Duration = .seconds(24 * 3600)
  var maximumCount = 200
  var maximumUncollected = 10_000
  /// Bytes of output that finished tasks may keep together.
  var maximumOutput = 1 << 30

  struct Finished: Sendable, Hashable {
    let id: String
    let endedAt: Timestamp
    /// Bytes of output kept for it.
    var output = 0
    /// Whether somebody has been told the outcome.
    var isCollected = true
  }

  /// The ids to forget.
  func expired(_ finished: [Finished], now: Timestamp) -> [String] {
    var kept = 0
    var uncollected = 0
    var output = 0
    var expired: [String] = []
    for task in finished.sorted(by: { $0.endedAt > $1.endedAt }) {
      output += task.output
      let isOneTooMany = task.isCollected ? kept >= maximumCount : uncollected >= maximumUncollected
      let isTooMuch = kept + uncollected > 0 && (isOneTooMany || output > maximumOutput)
      if isTooMuch || now - task.endedAt > maximumAge {
        expired.append(task.id)
      } else if task.isCollected {
        kept += 1
      } else {
        uncollected += 1
      }
    }
    return expired
  }
}
