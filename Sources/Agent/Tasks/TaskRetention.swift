import Surroundings

/// Which finished tasks are forgotten, with all that their scripts printed: what is older than a day, and the oldest
/// beyond a number, or beyond a size of output. The newest one stays.
///
/// Those whose outcome nobody has asked for yet may be many more, larger, and older: when many were queued, their ends
/// come faster than anybody asks, and a director that was away for days asks with the request again that has started a
/// task; if that were forgotten, its script would run a second time.
struct TaskRetention: Sendable, Hashable {
  var maximumAge: Duration = .seconds(24 * 3600)
  var maximumAgeUncollected: Duration = .seconds(30 * 24 * 3600)
  var maximumCount = 200
  var maximumUncollected = 10_000
  /// Bytes of output that finished tasks may keep together.
  var maximumOutput = 1 << 30
  /// The same of those whose outcome nobody has asked for.
  var maximumOutputUncollected = 8 << 30

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
    var expired: [String] = []
    var counts = (collected: 0, uncollected: 0)
    var output = (collected: 0, uncollected: 0)
    for task in finished.sorted(by: { $0.endedAt > $1.endedAt }) {
      let isTooMuch: Bool
      if task.isCollected {
        output.collected += task.output
        isTooMuch = counts.collected >= maximumCount || output.collected > maximumOutput
      } else {
        output.uncollected += task.output
        isTooMuch = counts.uncollected >= maximumUncollected || output.uncollected > maximumOutputUncollected
      }
      let limit = task.isCollected ? maximumAge : maximumAgeUncollected
      if isTooMuch && counts.collected + counts.uncollected > 0 || now - task.endedAt > limit {
        expired.append(task.id)
      } else if task.isCollected {
        counts.collected += 1
      } else {
        counts.uncollected += 1
      }
    }
    return expired
  }
}
