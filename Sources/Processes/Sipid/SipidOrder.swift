import Formats
import GoConventions

/// What `sipid` is asked to do (reference/lifecycle.md 2).
public enum SipidOrder: Sendable, Equatable {
  case claim(pid: Int, pidfile: String)
  case kill(pidfile: String, showsStacks: Bool)
  case waitUntilHealthy(url: String, timeout: Duration, frequency: Duration)

  /// A command line that asks for nothing that can be done, and what to answer to it, on standard error.
  public struct Refusal: Error, Equatable {
    public let text: String
    public let code: Int32
  }

  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - program: as it was called, for the usage.
  public init(_ arguments: [String], program: String) throws(Refusal) {
    guard let command = arguments.first, let definitions = Self.flags[command] else { throw Self.usage(program) }
    let flags: GoFlags
    do {
      flags = try GoFlags(Array(arguments.dropFirst()), definitions)
    } catch {
      let list = GoFlags.usage(program, definitions)
      switch error {
      case .helpWanted: throw Refusal(text: list, code: 0)
      case .wrong(let reason): throw Refusal(text: "\(reason)\n\(list)", code: 2)
      }
    }
    func text(_ name: String) throws(Refusal) -> String {
      let text = flags.text(name)
      guard !text.isEmpty else { throw Self.usage(program) }
      return text
    }
    switch command {
    case "claim":
      guard flags.int("pid") != -1 else { throw Self.usage(program) }
      self = .claim(pid: flags.int("pid"), pidfile: try text("pid-file"))
    case "kill": self = .kill(pidfile: try text("pid-file"), showsStacks: flags.isOn("show-stacks"))
    default:
      self = .waitUntilHealthy(
        url: try text("url"), timeout: flags.duration("timeout"), frequency: flags.duration("polling-frequency"))
    }
  }

  private static let flags: [String: [GoFlags.Definition]] = [
    "claim": [
      .init("pid", .integer, "-1", "process ID to write to pid-file"),
      .init("pid-file", .text, "", "pid-file to write process ID to"),
    ],
    "kill": [
      .init("pid-file", .text, "", "pid-file containing process id to kill"),
      .init("show-stacks", .flag, "false", "when true, try to dump the stack"),
    ],
    "wait-until-healthy": [
      .init("url", .text, "", "URL to poll for system health"),
      .init("timeout", .duration, "1m0s", "timeout for system to become healthy"),
      .init("polling-frequency", .duration, "5s", "frequency to poll healthcheck endpoint"),
    ],
  ]

  private static func usage(_ program: String) -> Refusal {
    Refusal(
      text: """
        usage: \(program) claim --pid PID --pid-file PID_FILE
               \(program) kill --pid-file PID_FILE [--show-stacks]
               \(program) wait-until-healthy --url HEALTHCHECK_URL [--timeout DURATION (default 1m)] \
        [--polling-frequency DURATION (default 5s)]

               DURATIONS must be specified with units (e.g. 10s, 4m, 500ms)

        """, code: 1)
  }
}
