import Formats
import Glibc
import Processes

/// The `bpm` command: what it was asked for, done, and said in the original's words and exit codes.
public struct BPMProgram: Sendable {
  /// Set when a release is built.
  static let version = BPMVersion.text

  let setup: BPMSetup
  let terminal: Terminal

  /// Runs this process's command line; returns its exit status.
  public static func run() async -> Int32 {
    await BPMProgram(setup: BPMSetup(environment: Environment.current()), terminal: .own)
      .run(Array(CommandLine.arguments.dropFirst()))
  }

  func run(_ arguments: [String]) async -> Int32 {
    let request: ArgumentReader.Request
    do {
      request = try ArgumentReader.read(arguments)
    } catch {
      if let command = error.usage { terminal.complain(UsageText.usage(command) + "\n") }
      return fail(error.text)
    }
    if request.has("help") {
      terminal.write(request.command.name == "bpm" ? UsageText.rootHelp : help(request))
      return 0
    }
    if request.command.name == "completion", let answer = completion(request) { return answer }
    if request.has("version") {
      terminal.write("\(Self.version)\n")
      return 0
    }
    guard getuid() == 0 || getgid() == 0 else {
      return fail("bpm must be run as root. Please run 'sudo -i' to become the root user.")
    }
    do {
      return try await perform(request)
    } catch let mistake as ArgumentReader.Mistake {
      if let command = mistake.usage { terminal.complain(UsageText.usage(command) + "\n") }
      return fail(mistake.text)
    } catch {
      return fail("\(error)")
    }
  }

  private func fail(_ text: String) -> Int32 {
    terminal.complain("Error: \(text)\n")
    return 1
  }

  private func perform(_ request: ArgumentReader.Request) async throws -> Int32 {
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
      return 0
    default: break
    }
    guard let job = request.operands.first else {
      throw ArgumentReader.Mistake(text: "must specify a job", usage: request.command)
    }
    let process = request.text("process").flatMap { $0.isEmpty ? nil : $0 } ?? job
    let lifecycle = try Lifecycle(setup, job: job, process: process)
    switch request.command.name {
    case "start": try await lifecycle.start()
    case "stop": try await lifecycle.stop()
    case "run": return try await run(lifecycle, request)
    case "pid": terminal.write("\(try lifecycle.pid())\n")
    case "logs": return try await logs(lifecycle.names, request)
    case "shell": return try await shell(lifecycle)
    case "trace": return try await trace(lifecycle)
    case "spec": terminal.write(try lifecycle.spec(format: request.text("format") ?? "oci"))
    default: return fail("unknown command \"\(request.command.name)\" for \"bpm\"")
    }
    return 0
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
