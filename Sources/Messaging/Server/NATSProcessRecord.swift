import Formats
import Glibc

/// Which process the server is, as it is written down for the next start of ours.
enum NATSProcessRecord {
  static func text(_ process: DetachedProcess) -> String {
    JSON.text(["pid": .int(Int(process.pid)), "started": .int(process.started)]) + "\n"
  }

  /// Nil for a text that is no record.
  static func process(_ text: String) -> DetachedProcess? {
    guard let value = try? JSON.parse(text), let pid = value["pid"]?.int, let started = value["started"]?.int,
      let pid = pid_t(exactly: pid)
    else { return nil }
    return DetachedProcess(pid: pid, started: started)
  }
}
