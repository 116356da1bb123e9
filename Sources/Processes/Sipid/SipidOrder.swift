import Formats

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
    guard let command = arguments.first, let flags = Self.flags[command] else { throw Self.usage(program) }
    let found: [String: String]
    do {
      found = try flags.parse(Array(arguments.dropFirst()))
    } catch {
      let list = flags.list(program: program)
      switch error {
      case .help: throw Refusal(text: list, code: 0)
      case .wrong(let reason): throw Refusal(text: "\(reason)\n\(list)", code: 2)
      }
    }
    func text(_ name: String) throws(Refusal) -> String {
      guard let text = found[name], !text.isEmpty else { throw Self.usage(program) }
      return text
    }
    func duration(_ name: String, _ standard: Duration) -> Duration {
      found[name].flatMap { try? Duration(text: $0) } ?? standard
    }
    switch command {
    case "claim":
      guard case .number(let pid) = GoFlags.int(found["pid"] ?? ""), pid != -1 else { throw Self.usage(program) }
      self = .claim(pid: pid, pidfile: try text("pid-file"))
    case "kill":
      let showsStacks = found["show-stacks"].flatMap(GoFlags.bool) ?? false
      self = .kill(pidfile: try text("pid-file"), showsStacks: showsStacks)
    default:
      self = .waitUntilHealthy(
        url: try text("url"), timeout: duration("timeout", .seconds(60)),
        frequency: duration("polling-frequency", .seconds(5)))
    }
  }

  private static let flags: [String: GoFlags] = [
    "claim": GoFlags(flags: [
      .init(name: "pid", kind: .int, help: "process ID to write to pid-file", standard: "-1"),
      .init(name: "pid-file", kind: .string, help: "pid-file to write process ID to"),
    ]),
    "kill": GoFlags(flags: [
      .init(name: "pid-file", kind: .string, help: "pid-file containing process id to kill"),
      .init(name: "show-stacks", kind: .bool, help: "when true, try to dump the stack"),
    ]),
    "wait-until-healthy": GoFlags(flags: [
      .init(name: "url", kind: .string, help: "URL to poll for system health"),
      .init(name: "timeout", kind: .duration, help: "timeout for system to become healthy", standard: "1m0s"),
      .init(
        name: "polling-frequency", kind: .duration, help: "frequency to poll healthcheck endpoint", standard: "5s"),
    ]),
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
