import Formats
import Processes
import Surroundings

/// A start or stop program that was executed as monit does it (`reference/lifecycle.md 3.2`): a session of its own,
/// `/`, no input, no output, an environment with nothing in it but PATH and what monit tells.
struct ServiceProgramRun: Sendable, Hashable {
  private let process: DetachedProcess

  init(_ program: ServiceProgram, service: String, event: String, pid: Int?, now: Timestamp) throws {
    process = try DetachedProcess(
      program.arguments,
      environment: Self.environment(service: service, event: event, pid: pid, now: now, outer: Environment.current()),
      user: try program.user.map(Accounts.user), group: try program.group.map(Accounts.group))
  }

  var isAlive: Bool { process.isAlive }

  /// Waits for its end; nil is a good one.
  func problem() async -> String? {
    do {
      let ending = try await process.ending()
      return ending == .exited(0) ? nil : "its program \(ending)"
    } catch {
      return "\(error)"
    }
  }

  static func environment(
    service: String, event: String, pid: Int?, now: Timestamp, outer: [String: String]
  ) -> [String: String] {
    var variables = [
      "PATH": "/bin:/usr/bin:/sbin:/usr/sbin", "MONIT_SERVICE": service, "MONIT_EVENT": event,
      "MONIT_DESCRIPTION": event, "MONIT_DATE": RFC822.text(now), "MONIT_HOST": Accounts.hostName(),
    ]
    if let pid { variables["MONIT_PROCESS_PID"] = String(pid) }
    variables["TZ"] = outer["TZ"]
    return variables
  }
}

/// The form of dates in mail, in UTC.
enum RFC822 {
  static func text(_ time: Timestamp) -> String {
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let day = time.seconds / 86_400
    let second = time.seconds % 86_400
    // Days to a civil date, by eras of 400 years that begin on 1 March.
    let shifted = day + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let date = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let two: (Int) -> String = { $0 < 10 ? "0\($0)" : "\($0)" }
    return "\(days[day % 7]), \(two(date)) \(months[month - 1]) \(year) "
      + "\(two(second / 3600)):\(two(second / 60 % 60)):\(two(second % 60)) +0000"
  }
}
