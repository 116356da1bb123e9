import Formats
import Glibc
import Processes

/// The `bpm` command: what it was asked for, done, and said in the original's words and exit codes.
public struct BPMProgram: Sendable {
  /// Set when a release is built.
  static let version = BPMVersion.text

  let setup: BPMSetup
  let terminal: Terminal

  /// This process's.
  private static var own: BPMProgram {
    BPMProgram(setup: BPMSetup(environment: Environment.current()), terminal: .own)
  }

  /// Runs this process's command line; returns its exit status.
  public static func run() async -> Int32 { await own.run(Array(CommandLine.arguments.dropFirst())) }

  /// Runs this process's command line when it only looks at things; nil when it takes a wait.
  public static func answer() -> Int32? {
    guard case .done(let status) = own.answer(Array(CommandLine.arguments.dropFirst())) else { return nil }
    return status
  }

  func run(_ arguments: [String]) async -> Int32 {
    switch answer(arguments) {
    case .done(let status): return status
    case .pending(let request):
      do { return try await perform(request) } catch { return told(error) }
    }
  }

  private enum Answer {
    case done(Int32)
    /// What cannot be done without waiting.
    case pending(ArgumentReader.Request)
  }

  private func answer(_ arguments: [String]) -> Answer {
    let request: ArgumentReader.Request
    do { request = try ArgumentReader.read(arguments) } catch { return .done(told(error)) }
    if request.has("help") {
      terminal.write(request.command.name == "bpm" ? UsageText.rootHelp : help(request))
      return .done(0)
    }
    if request.command.name == "completion", let answer = completion(request) { return .done(answer) }
    if request.has("version") {
      terminal.write("\(Self.version)\n")
      return .done(0)
    }
    guard getuid() == 0 || getgid() == 0 else {
      return .done(fail("bpm must be run as root. Please run 'sudo -i' to become the root user."))
    }
    do {
      return try look(request).map { .done($0) } ?? .pending(request)
    } catch {
      return .done(told(error))
    }
  }

  private func told(_ error: any Error) -> Int32 {
    guard let mistake = error as? ArgumentReader.Mistake else { return fail("\(error)") }
    if let command = mistake.usage { terminal.complain(UsageText.usage(command) + "\n") }
    return fail(mistake.text)
  }

  private func fail(_ text: String) -> Int32 {
    terminal.complain("Error: \(text)\n")
    return 1
  }

  /// The commands that change nothing and wait for nothing; nil for the others.
  private func look(_ request: ArgumentReader.Request) throws -> Int32? {
    switch request.command.name {
    case "bpm": throw ArgumentReader.Mistake(text: "Exit code 1", usage: .root)
    case "help": return topic(request.operands)
    case "list": return try list()
    case "version":
      guard request.operands.isEmpty else {
        terminal.complain(UsageText.usage(request.command))
        return 1
      }
      terminal.write("\(Self.version)\n")
    case "pid": terminal.write("\(try lifecycle(request).pid())\n")
    case "spec": terminal.write(try lifecycle(request).spec(format: request.text("format") ?? "oci"))
    default: return nil
    }
    return 0
  }

  private func perform(_ request: ArgumentReader.Request) async throws -> Int32 {
    let lifecycle = try lifecycle(request)
    switch request.command.name {
    case "start": try await lifecycle.start()
    case "stop": try await lifecycle.stop()
    case "run": return try await run(lifecycle, request)
    case "logs": return try await logs(lifecycle.names, request)
    case "shell": return try await shell(lifecycle)
    case "trace": return try await trace(lifecycle)
    default: return fail("unknown command \"\(request.command.name)\" for \"bpm\"")
    }
    return 0
  }

  private func lifecycle(_ request: ArgumentReader.Request) throws -> Lifecycle {
    guard let job = request.operands.first else {
      throw ArgumentReader.Mistake(text: "must specify a job", usage: request.command)
    }
    let process = request.text("process").flatMap { $0.isEmpty ? nil : $0 } ?? job
    return try Lifecycle(setup, job: job, process: process)
  }

  private func run(_ lifecycle: Lifecycle, _ request: ArgumentReader.Request) async throws -> Int32 {
    let status = try await lifecycle.run(volumes: request.texts["volume"] ?? [], variables: request.texts["env"] ?? [])
    guard let status, status != 0 else { return 0 }
    terminal.complain("Error: failed to run job-process: exit status \(status) (exit status \(status))\n")
    return Int32(clamping: status)
  }

  // MARK: - Help

  private func help(_ request: ArgumentReader.Request) -> String {
    if request.command.name == "completion", let shell = request.operands.first,
      CompletionScripts.shells.contains(shell)
    {
      return CompletionScripts.help(shell)
    }
    return UsageText.help(request.command)
  }

  private func topic(_ words: [String]) -> Int32 {
    guard let name = words.first else {
      terminal.write(UsageText.rootHelp)
      return 0
    }
    if let command = CommandDefinition.named(name) {
      if name == "completion", words.count > 1, CompletionScripts.shells.contains(words[1]) {
        terminal.write(CompletionScripts.help(words[1]))
      } else {
        terminal.write(UsageText.help(command))
      }
      return 0
    }
    let shown = words.map { "`\($0)`" }.joined(separator: " ")
    terminal.complain("Unknown help topic [\(shown)]\n" + UsageText.rootUsage(help: false))
    return 0
  }

  /// Nil when the script itself is asked for by `--version` and the like.
  private func completion(_ request: ArgumentReader.Request) -> Int32? {
    guard let shell = request.operands.first, let script = CompletionScripts.script(shell) else {
      terminal.write(UsageText.help(request.command))
      return 0
    }
    if request.operands.count > 1 {
      terminal.complain(UsageText.completionUsage(of: shell) + "\n")
      return fail("unknown command \"\(request.operands[1])\" for \"bpm completion \(shell)\"")
    }
    if request.has("version") { return nil }
    terminal.write(script)
    return 0
  }
}

/// The version that `bpm version` prints.
enum BPMVersion {
  static let text = ProgramVersion.stamped.isEmpty ? "[DEV BUILD]" : ProgramVersion.stamped
}
