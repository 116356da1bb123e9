/// What `/proc/PID/stat` says about a process (proc(5)).
public struct ProcessStat: Sendable, Hashable {
  public let pid: Int
  /// The program's short name.
  public let name: String
  /// One letter: R, S, D, Z, X, …
  public let state: Character
  public let parent: Int
  public let group: Int
  public let session: Int
  /// CPU time used, in user and kernel mode, in clock ticks.
  public let cpuTicks: UInt64
  /// Clock ticks after boot at which it was started.
  public let startTicks: UInt64
  /// Resident memory in pages.
  public let residentPages: Int

  /// A process that has ended and waits to be reaped is not alive.
  public var isAlive: Bool { state != "Z" && state != "X" && state != "x" }

  /// Reads the one line of the file; nil when it is not such a line. The name may hold blanks and parentheses.
  public static func parse(_ text: some StringProtocol) -> ProcessStat? {
    guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")"), open < close,
      let pid = Int(text[..<open].split(separator: " ").joined())
    else { return nil }
    let fields = text[text.index(after: close)...].split(whereSeparator: \.isWhitespace)
    guard fields.count >= 22, fields[0].count == 1, let state = fields[0].first,
      let parent = Int(fields[1]), let group = Int(fields[2]), let session = Int(fields[3]),
      let user = UInt64(fields[11]), let system = UInt64(fields[12]), let start = UInt64(fields[19]),
      let resident = Int(fields[21])
    else { return nil }
    return ProcessStat(
      pid: pid, name: String(text[text.index(after: open)..<close]), state: state, parent: parent, group: group,
      session: session, cpuTicks: user &+ system, startTicks: start, residentPages: resident)
  }

  /// The process as it is now; nil when there is none. Pids of 0 and below are no processes.
  public static func read(pid: Int) -> ProcessStat? {
    guard pid > 0, let text = Files.textIfPresent("/proc/\(pid)/stat") else { return nil }
    return parse(text)
  }
}
