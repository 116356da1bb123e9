/// What commands of scripts are recognized by.
enum Shapes {
  static let tmpfs = ["/var/vcap/sys/run", "/var/vcap/data/sys/run", "/run/", "/var/run/", "/dev/shm"]
  static let network: Set<String> = ["curl", "wget", "nc", "ncat", "netcat", "dig", "nslookup", "host", "pg_isready"]
  private static let droppers = [
    "chpst", "setuidgid", "setpriv", "su", "sudo", "runuser", "gosu", "su-exec", "bpm", "--chuid", "-c=vcap",
  ]

  /// Whether the command changes to another user before it runs its program.
  static func dropsPrivileges(_ command: ShellCommand) -> Bool {
    let parts = command.words.flatMap { $0.split(whereSeparator: \.isWhitespace) }.map { ShellCommand.base(String($0)) }
    if parts.contains(where: { droppers.contains($0) || $0.hasPrefix("--chuid") || $0.hasPrefix("--user") }) {
      return true
    }
    return command.programName == "start-stop-daemon" && command.hasFlag("c")
  }

  /// Whether the command puts this process's id, or that of what it starts, into a file.
  static func writesPid(_ command: ShellCommand, _ script: ShellScript) -> Bool {
    let says = ["echo", "printf"].contains(command.name)
    if says, command.words.contains(where: { $0 == "$$" || $0 == "$!" || $0 == "$BASHPID" || $0 == "${BASHPID}" }) {
      return command.redirects.contains { $0.writes }
    }
    if command.programName == "start-stop-daemon" {
      return command.has("--make-pidfile", "-m") || command.hasFlag("m")
    }
    return command.programName == "sipid" && command.words.contains("claim")
  }

  /// The command that the process of a start script becomes, or that starts it.
  static func launches(_ command: ShellCommand) -> Bool {
    if command.name == "exec" { return command.words.count > 1 }
    if command.programName == "start-stop-daemon" { return command.has("--start", "-S") }
    return command.next == "&" && !["sleep", "wait", "kill"].contains(command.programName)
  }

  /// What a line in a log would be for.
  static func isOutput(_ command: ShellCommand) -> Bool { ["echo", "printf"].contains(command.name) }

  static func isHeredocOrInput(_ redirect: ShellCommand.Redirect) -> Bool { !redirect.writes }

  static func unbounded(_ template: LintedTemplate, _ what: String) -> [LintPlace] {
    (template.script?.loops ?? []).filter { !$0.isBounded }.map { loop in
      template.place("this '\(loop.kind)' \(what)", line: loop.line)
    }
  }

  /// Whether a request has a time limit.
  static func hasTimeLimit(_ command: ShellCommand) -> Bool {
    command.words.contains { word in
      ["--max-time", "-m", "--timeout", "-T", "-w", "timeout"].contains(ShellCommand.base(word))
        || word.hasPrefix("--max-time=") || word.hasPrefix("--timeout=") || word.hasPrefix("--connect-timeout")
    }
  }

  /// Commands that fail, or do harm, when they are run a second time.
  static func notIdempotent(_ command: ShellCommand) -> String? {
    let isGuarded = command.next == "||" || command.previous != "" || command.keyword != nil
    switch command.programName {
    case "mkdir" where !command.hasFlag("p") && !command.has("--parents") && !isGuarded:
      return "'mkdir' without -p fails when the folder is there"
    case "ln" where !command.hasFlag("f") && !command.has("--force") && !isGuarded && command.hasFlag("s"):
      return "'ln -s' without -f fails when the link is there"
    case "useradd", "adduser", "groupadd", "addgroup":
      return isGuarded ? nil : "'\(command.programName)' fails when the account is there"
    default: return nil
    }
  }

  static func idempotence(_ template: LintedTemplate, _ commands: [ShellCommand]) -> [LintPlace] {
    let guarded = guardedLines(commands)
    return commands.compactMap { command in
      guard !guarded.contains(command.line), let why = notIdempotent(command) else { return nil }
      return template.place(why, line: command.line)
    }
  }

  /// Lines that a test of whether something is there stands right above: `if [ ! -d … ]`.
  private static func guardedLines(_ commands: [ShellCommand]) -> Set<Int> {
    var lines: Set<Int> = []
    for command in commands where command.keyword == "if" || command.keyword == "!" || command.keyword == "elif" {
      lines.formUnion(command.line...(command.line + 8))
    }
    return lines
  }
}
