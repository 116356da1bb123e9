import Files
import Formats
import Glibc
import Surroundings

/// A file that holds a pid in decimal, as daemons write it.
public struct Pidfile: Sendable, Hashable {
  public let path: String

  public init(_ path: String) { self.path = path }

  /// The number in the text: blanks around it are ignored; anything else, and 0 and below, is no pid.
  public static func parse(_ text: some StringProtocol) -> Int? {
    let blank: (Character) -> Bool = { $0.isWhitespace || $0 == "\0" }
    let trimmed = text.drop(while: blank)
    let digits = trimmed.prefix { $0.isASCII && $0.isNumber }
    guard trimmed.dropFirst(digits.count).allSatisfy(blank), let pid = Int(digits), pid > 0, pid <= Int(Int32.max)
    else { return nil }
    return pid
  }

  /// The pid in the file; nil when there is no file or no pid in it.
  ///
  /// - Throws: when the file cannot be read, which says nothing about the process.
  public func read() throws -> Int? { try Files.text(path, limit: 4096).flatMap { Self.parse($0) } }

  /// The living process that the file speaks of.
  ///
  /// A process that was started after the file was written cannot be the one it speaks of: its pid was used again. So
  /// it is taken for another process unless it is `known` to be the right one, which a step of the clock cannot undo.
  ///
  /// - Throws: when the file cannot be read, which says nothing about the process.
  public func process(known: ProcessIdentity? = nil) throws -> ProcessIdentity? {
    guard let pid = try read(), let found = ProcessIdentity(livingPid: pid) else { return nil }
    if found == known { return found }
    guard let written = try FileFacts(path)?.written else { return nil }
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    let writtenAgo = Double(Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) - written.nanoseconds) / 1e9
    return found.age / .seconds(1) + Self.clockSlack >= writtenAgo ? found : nil
  }

  /// Seconds by which the two clocks (of files, of process starts) may disagree.
  private static let clockSlack = 2.0
}
