import Formats
import Processes

/// Which process the server is, as it is written down for the next start of ours.
enum NATSProcessRecord {
  static func text(_ process: NATSProcess) -> String {
    JSON.text(["pid": .int(process.pid), "started": .int(Int(clamping: process.identity.startTicks))]) + "\n"
  }

  /// Nil for a text that is no record.
  static func process(_ text: String) -> NATSProcess? {
    guard let value = try? JSON.parse(text), let pid = value["pid"]?.int, let started = value["started"]?.int,
      let ticks = UInt64(exactly: started)
    else { return nil }
    return NATSProcess(
      ProcessIdentity(pid: pid, startTicks: ticks, bootID: ProcessIdentity.currentBootID))
  }
}
