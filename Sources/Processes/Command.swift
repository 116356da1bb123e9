import Formats
import Glibc
import Surroundings

/// A program of this machine, run to its end with its output captured: `ip`, `mount`, `runc`, `tar`, …
///
/// ```swift
/// try await Command("ip", "link", "set", name, "up").run()
/// let version = try await Command("runc", "--version").run().text
/// let result = try await Command("redis-cli", "ping").result()      // does not throw for an exit status
/// ```
///
/// The program has a process group of its own. When its time is over, or the task is cancelled, the group gets SIGTERM
/// and then SIGKILL. Processes that it leaves behind do not delay the end, even when they hold its output open.
public struct Command: Sendable {
  /// The program (searched for in PATH when it has no slash) and its arguments.
  public var arguments: [String]
  /// The whole environment; nil is this process's own.
  public var environment: [String: String]?
  /// The working directory; nil is this process's own.
  public var directory: String?
  /// What it reads from its standard input; nothing when empty.
  public var input: [UInt8] = []
  /// After this it is ended and an error thrown; nil waits for ever.
  public var timeout: Duration?
  /// More standard output than this, in bytes, is an error. Of standard error the last 64 KiB are kept.
  public var maximumOutput = 16 << 20
  /// Instead of being captured, both outputs go where this process's own go.
  public var showsOutput = false

  public init(_ arguments: String...) { self.arguments = arguments }
  public init(_ arguments: [String]) { self.arguments = arguments }

  /// Runs it and wants it to succeed.
  ///
  /// - Throws: ``DroverError`` with the command, how it ended and the last lines it wrote to standard error, when it
  ///   does not exit with 0 and whenever ``result()`` throws.
  @discardableResult
  public func run() async throws -> CommandResult {
    let result = try await result()
    guard result.ending != .exited(0) else { return result }
    let said = result.lastErrorLines()
    throw DroverError(.failed, "\(line): \(result.ending)\(said.isEmpty ? "" : ": \(said)")")
  }

  /// Runs it, whatever its exit status.
  ///
  /// - Throws: when it cannot be executed, takes too long or says too much; `CancellationError` when cancelled.
  public func result() async throws -> CommandResult {
    let running = try RunningCommand(self)
    return try await running.finish()
  }

  /// The command as one would type it, for messages.
  public var line: String {
    arguments.map { $0.contains { $0.isWhitespace } || $0.isEmpty ? "'\($0)'" : $0 }.joined(separator: " ")
  }
}

/// A standard stream of a program.
public enum OutputStream: String, Sendable, Hashable, CaseIterable { case stdout, stderr }

/// How a process ended.
public enum Ending: Sendable, Hashable, CustomStringConvertible {
  case exited(Int)
  case signalled(Int)

  public var description: String {
    switch self {
    case .exited(let code): "exited with \(code)"
    case .signalled(let number): "was killed by signal \(number)"
    }
  }
}

/// How a ``Command`` ended and what it said.
public struct CommandResult: Sendable {
  public let ending: Ending
  public let output: [UInt8]
  /// The last 64 KiB of standard error.
  public let errors: [UInt8]

  public var succeeded: Bool { ending == .exited(0) }

  /// Standard output as text.
  public var text: String { String(decoding: output, as: UTF8.self) }

  /// The last lines of standard error, on one line.
  public func lastErrorLines(_ count: Int = 5) -> String {
    let lines = String(decoding: errors, as: UTF8.self).split(whereSeparator: \.isNewline)
    return lines.suffix(count).joined(separator: "; ")
  }
}
