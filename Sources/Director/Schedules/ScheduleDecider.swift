import Digests
import Formats
import Manifests

/// Decides what a schedule does: a function of what it is, how far it is, and what time it is.
struct ScheduleDecider: Sendable {
  let schedule: ErrandSchedule
  let zone: ZoneRules
  /// `DEPLOYMENT/NAME`.
  let name: String

  /// What is to be done now.
  struct Decision: Sendable, Hashable {
    /// The tick for which a run is started; nil for none.
    var start: Int?
    /// Why a tick is left out; nil when none is.
    var skipReason: String?
    /// The last tick that is decided by this.
    var decided: Int
  }

  /// How late a run may be and still be on time: a server that is started again takes as long.
  static let grace = 60

  /// When a tick's run is started: some seconds late, always the same for one tick, on whatever server.
  func due(_ tick: Int) -> Int {
    guard schedule.jitterSeconds > 0 else { return tick }
    let hash = DigestHasher.hex(.sha256, Array("\(name) \(tick)".utf8)).prefix(12)
    return tick + (Int(hash, radix: 16) ?? 0) % (schedule.jitterSeconds + 1)
  }

  /// When there is something to decide again; nil for never.
  func wake(decided: Int) -> Int? { schedule.cron.next(after: decided, in: zone).map(due) }

  /// - Parameters:
  ///   - decided: the last tick that was decided.
  ///   - running: how many of its runs have not ended.
  ///   - now: seconds since 1970.
  func decide(decided: Int, running: Int, now: Int) -> Decision? {
    guard let tick = latest(after: decided, now: now) else { return nil }
    var decision = Decision(decided: tick)
    let late = now - due(tick)
    if late > Self.grace, schedule.missed == .skip {
      decision.skipReason = "no server ran"
    } else if late > Self.grace, let limit = schedule.missedLimitSeconds, late > limit {
      decision.skipReason = "no server ran for longer than \(Duration.seconds(limit).shortText)"
    } else if running > 0, schedule.overlap == .skip {
      decision.skipReason = "the run before had not ended"
    } else if running > 1, schedule.overlap == .queue {
      decision.skipReason = "a run was waiting already"
    } else {
      decision.start = tick
    }
    return decision
  }

  /// The latest tick after `decided` that is due. After a long time not every one in between is looked at.
  private func latest(after decided: Int, now: Int) -> Int? {
    for span in [3600, 86_400, 31 * 86_400] {
      let start = now - schedule.jitterSeconds - span
      if start > decided, let tick = last(after: start, now: now) { return tick }
    }
    return last(after: decided, now: now)
  }

  private func last(after start: Int, now: Int) -> Int? {
    var found: Int?
    var tick = start
    while let next = schedule.cron.next(after: tick, in: zone), next <= now {
      if due(next) <= now { found = next }
      tick = next
    }
    return found
  }
}
