import Formats

extension Runc {
  /// A command of runc with its arguments, without the global ones.
  public enum Command: Sendable, Hashable {
    /// Makes a container that waits to be started.
    case create(id: String, bundle: String, pidFile: String?)
    /// Lets the process of a created container begin.
    case start(id: String)
    /// Makes and starts a container; detached, it returns at once.
    case run(id: String, bundle: String, pidFile: String?, detach: Bool)
    /// Sends a signal (a name without SIG, or a number) to the container's first process.
    case kill(id: String, signal: String)
    /// Removes a container; `force` kills it first and does not mind that there is none.
    case delete(id: String, force: Bool)
    case state(id: String)
    case list
    /// Runs a further process in a container.
    case exec(id: String, terminal: Bool, environment: [String], user: String?, arguments: [String])

    /// As they stand on the command line.
    public var arguments: [String] {
      switch self {
      case .create(let id, let bundle, let pidFile):
        ["create", "--bundle", bundle] + (pidFile.map { ["--pid-file", $0] } ?? []) + [id]
      case .start(let id): ["start", id]
      case .run(let id, let bundle, let pidFile, let detach):
        ["run", "--bundle", bundle] + (pidFile.map { ["--pid-file", $0] } ?? []) + (detach ? ["--detach"] : []) + [id]
      case .kill(let id, let signal): ["kill", id, signal]
      case .delete(let id, let force): ["delete"] + (force ? ["--force"] : []) + [id]
      case .state(let id): ["state", id]
      case .list: ["list", "--format", "json"]
      case .exec(let id, let terminal, let environment, let user, let arguments):
        ["exec"] + (terminal ? ["--tty"] : []) + environment.flatMap { ["--env", $0] }
          + (user.map { ["--user", $0] } ?? []) + [id] + arguments
      }
    }
  }

  /// The whole command line after the executable.
  public func arguments(for command: Command, log: String) -> [String] {
    Self.arguments(for: command, root: root, log: log, systemdCgroup: systemdCgroup)
  }

  /// The same for who runs it in another way.
  ///
  /// - Parameter log: a file for runc's messages; nil leaves them on its standard error.
  public static func arguments(for command: Command, root: String, log: String?, systemdCgroup: Bool) -> [String] {
    ["--root", root] + (log.map { ["--log", $0] } ?? []) + ["--log-format", "json"]
      + (systemdCgroup ? ["--systemd-cgroup"] : []) + command.arguments
  }

  /// Runs a command.
  /// - Parameter output: a file for the output of a detached container; see ``Invocation/output``.
  /// - Returns: what it wrote to its stdout.
  /// - Throws: ``DroverError`` with runc's own message: code `notFound` when there is no such container, `conflict` when
  ///   there is one of that id already, otherwise `failed`.
  @discardableResult
  public func perform(_ command: Command, output: String? = nil) async throws -> [UInt8] {
    let outcome = try await outcome(command, output: output)
    return outcome.standardOutput
  }

  private func outcome(_ command: Command, output: String?) async throws -> Outcome {
    let log = newLogPath()
    let invocation = Invocation(
      executable: executable, arguments: arguments(for: command, log: log), output: output)
    let result: Result<Outcome, any Error>
    do { result = .success(try await run(invocation)) } catch { result = .failure(error) }
    let messages = takeLog(log).map(Self.messages) ?? []
    let outcome = try result.get()
    guard outcome.status != 0 else { return outcome }
    throw Self.error(command, outcome, messages)
  }

  static func error(_ command: Command, _ outcome: Outcome, _ messages: [String]) -> DroverError {
    let said = String(decoding: outcome.standardError.suffix(2048), as: UTF8.self)
      .split(whereSeparator: \.isNewline).joined(separator: "; ")
    let reason = messages.last ?? (said.isEmpty ? "exit status \(outcome.status), without a message" : said)
    let code: DroverError.Code =
      if reason.contains("container does not exist") { .notFound } else if reason.contains("already exists") {
        .conflict
      } else { .failed }
    return DroverError(code, "runc \(command.arguments.joined(separator: " ")): \(reason)")
  }

  /// The messages of errors in runc's JSON log (`--log-format json`: one object per line with `level` and `msg`).
  public static func messages(inLog log: [UInt8]) -> [String] {
    log.split(separator: UInt8(ascii: "\n")).compactMap { line in
      guard let entry = try? JSON.parse(Array(line)), let level = entry["level"]?.string,
        ["error", "fatal", "panic"].contains(level)
      else { return nil }
      return entry["msg"]?.string
    }
  }
}
