import Manifests

/// How far a schedule is. Kind `schedule`, named `DEPLOYMENT/NAME`; gone when the deployment or the schedule is.
///
/// A tick is claimed by replacing this document at the revision that it was read at, in one commit with the record of the
/// task that runs for it: of any number of servers one can, and there is no moment in which one is there without the
/// other.
struct ScheduleRecord: Codable, Sendable, Hashable {
  var deployment: String
  /// The name of the entry in the manifest's `errands`.
  var name: String
  /// The expression and the time zone for which ticks were decided.
  var definition: String
  /// The last tick that was decided; ticks count after it. Seconds since 1970.
  var decided: Int
  /// Tasks that ran for it and are kept, the oldest first.
  var runs: [Int] = []
  /// Those of them that are not known to have ended.
  var open: [Int] = []
  /// The last tick that was left out, and why.
  var skipped: Int?
  var skipReason: String?
  /// Whether somebody has paused or resumed it; nil when the manifest's word counts.
  var paused: Bool?
  /// Who did.
  var pausedBy: String?

  static func documentName(_ deployment: String, _ name: String) -> String {
    "\(deployment)/\(name)"
  }
}

extension ErrandSchedule {
  /// What ticks are decided by. A manifest that lets a schedule go on is another one: the ticks of the pause are over.
  var definition: String { "\(cron.text) \(timeZone)" + (isPaused ? " paused" : "") }
}
