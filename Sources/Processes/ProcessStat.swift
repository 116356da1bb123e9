import Files

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
  public static func parse(_ text: some StringProtocol) -> ProcessStat? { parse(Array(text.utf8)) }

  /// The same of the file's bytes.
  static func parse(_ bytes: [UInt8]) -> ProcessStat? {
    guard let open = bytes.firstIndex(of: UInt8(ascii: "(")), let close = bytes.lastIndex(of: UInt8(ascii: ")")),
      open < close, let pid = number(bytes[..<open].filter { $0 != 0x20 }[...]), let pid = Int(exactly: pid)
    else { return nil }
    let fields = bytes[(close + 1)...].split { $0 == 0x20 || (0x09...0x0D).contains($0) }
    guard fields.count >= 22, fields[0].count == 1, let state = fields[0].first, state < 0x80,
      let parent = integer(fields[1]), let group = integer(fields[2]), let session = integer(fields[3]),
      let user = number(fields[11]), let system = number(fields[12]), let start = number(fields[19]),
      let resident = integer(fields[21])
    else { return nil }
    return ProcessStat(
      pid: pid, name: String(decoding: bytes[(open + 1)..<close], as: UTF8.self),
      state: Character(Unicode.Scalar(state)), parent: parent, group: group, session: session,
      cpuTicks: user &+ system, startTicks: start, residentPages: resident)
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> UInt64? {
    guard !digits.isEmpty else { return nil }
    var value: UInt64 = 0
    for digit in digits {
      guard (0x30...0x39).contains(digit) else { return nil }
      let (tenfold, isTooLarge) = value.multipliedReportingOverflow(by: 10)
      let (sum, overflows) = tenfold.addingReportingOverflow(UInt64(digit - 0x30))
      if isTooLarge || overflows { return nil }
      value = sum
    }
    return value
  }

  /// A number that may be negative, such as the group of a process without a terminal.
  private static func integer(_ text: ArraySlice<UInt8>) -> Int? {
    guard text.first == UInt8(ascii: "-") else { return number(text).flatMap { Int(exactly: $0) } }
    return number(text.dropFirst()).flatMap { Int(exactly: $0) }.map { -$0 }
  }

  /// The process as it is now; nil when there is none. Pids of 0 and below are no processes.
  public static func read(pid: Int) -> ProcessStat? {
    guard pid > 0, let bytes = try? Files.read("/proc/\(pid)/stat") else { return nil }
    return parse(bytes)
  }
}
