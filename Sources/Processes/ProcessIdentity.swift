import CLinux
import Files
public import Formats
import Glibc

/// A process, told apart from a later one with the same pid by its start time, and from one before a reboot by the boot.
public struct ProcessIdentity: Sendable, Hashable, CustomStringConvertible {
  public let pid: Int
  /// Clock ticks after boot at which it was started.
  public let startTicks: UInt64
  /// The kernel's `boot_id`; empty where the kernel does not tell.
  public let bootID: String

  public init(pid: Int, startTicks: UInt64, bootID: String) {
    self.pid = pid
    self.startTicks = startTicks
    self.bootID = bootID
  }

  /// The living process that has this pid now. Zombies and pids of 0 and below are not alive.
  public init?(livingPid pid: Int) {
    guard let stat = ProcessStat.read(pid: pid), stat.isAlive else { return nil }
    self.init(pid: pid, startTicks: stat.startTicks, bootID: Self.currentBootID)
  }

  /// This process.
  public static func current() -> ProcessIdentity? { ProcessIdentity(livingPid: Int(getpid())) }

  public static let currentBootID: String =
    (Files.textIfPresent("/proc/sys/kernel/random/boot_id") ?? "").filter { !$0.isWhitespace }

  /// Whether this very process still runs.
  public var isAlive: Bool { ProcessIdentity(livingPid: pid) == self }

  /// Since it was started.
  public var age: Duration { ProcessStat.age(startTicks: startTicks) }

  /// Sends a signal to this very process, never to another one that got its pid.
  ///
  /// - Returns: false when it does not run any more.
  @discardableResult
  public func signal(_ number: Int32) throws -> Bool {
    let fd = drover_pidfd_open(Int32(pid))
    guard fd >= 0 else {
      if errno == ESRCH || errno == EINVAL { return false }
      throw systemError("sending signal \(number) to process \(pid)")
    }
    defer { close(fd) }
    guard isAlive else { return false }
    if drover_pidfd_send_signal(fd, number) == 0 { return true }
    if errno == ESRCH { return false }
    throw systemError("sending signal \(number) to process \(pid)")
  }

  public var description: String { "\(pid)" }

  /// The form in which it is kept in a file.
  public var value: Value {
    ["pid": .int(pid), "start": .string(String(startTicks)), "boot": .string(bootID)]
  }

  /// - Throws: when the value is not what ``value`` makes.
  public init(_ value: Value) throws {
    let reader = try FieldReader(value)
    guard let start = UInt64(try reader.string("start")) else {
      throw reader.error("start", "expected a number of clock ticks")
    }
    self.init(pid: try reader.int("pid"), startTicks: start, bootID: try reader.string("boot"))
  }
}

extension ProcessIdentity {
  /// The program and its arguments as it was executed; none when it has ended.
  public var arguments: [String] {
    guard isAlive, let bytes = try? Files.read("/proc/\(pid)/cmdline") else { return [] }
    return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
      String(decoding: $0, as: UTF8.self)
    }
  }
}
