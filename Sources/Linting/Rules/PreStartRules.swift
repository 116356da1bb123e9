extension LintRule {
  static let preStartRules: [LintRule] = [
    LintRule(
      "pre-start-tmpfs", .error, .preStart, "Pre-start leaves nothing in folders that are in memory.",
      reason: "Pre-start does not run after a reboot of the VM, and by then /var/vcap/sys/run is empty again.",
      instead: "Make such folders and files in the start script, which runs every time.", job: PreStartChecks.tmpfs),
    LintRule(
      "pre-start-temporary", .warning, .preStart, "Pre-start leaves nothing in /tmp that is needed later.",
      reason:
        "/tmp and /var/tmp are cleaned up by others, and pre-start does not run again to bring back what was there.",
      instead: "Use /var/vcap/data/JOB, or make it in the start script.", job: PreStartChecks.temporary),
    LintRule(
      "pre-start-needed", .advice, .preStart, "There is no pre-start where the start script is enough.",
      reason:
        "Folders and their owners take no time, and the start script has to make them anyway, since pre-start does "
        + "not run after a reboot.",
      instead: "Do this in the start script, and keep pre-start for long work on persistent state, such as migrations.",
      job: PreStartChecks.needed),
    LintRule(
      "pre-start-idempotent", .warning, .preStart, "Pre-start can run again and again.",
      reason: "It runs at least once for every version of the release, and again after every failed attempt.",
      instead: "Use commands that do not mind: mkdir -p, ln -sfn, a test in front of what is done only once.",
      job: PreStartChecks.idempotent),
    LintRule(
      "pre-start-launches", .warning, .preStart, "Pre-start starts no process that is to stay.",
      reason: "Nobody watches such a process, and it is not there after a reboot.",
      instead: "Give it a 'check process' of its own in the monit file.", job: PreStartChecks.launches),
  ]
}

private enum PreStartChecks {
  private static let makers: Set<String> = ["mkdir", "touch", "cp", "mv", "ln", "install", "tee", "mkfifo", "chown"]
  private static let trivial: Set<String> = [
    "mkdir", "chown", "chmod", "chgrp", "touch", "echo", "printf", "set", "exit", "export", "readonly", "local", "true",
    "exec", "install", "cd", "date", "basename", "dirname", "source", ".", "shopt", "umask", "awk", "tee", "logger",
    "prepend_datetime", "tee_output_to_sys_log",
  ]

  private static func script(_ job: LintedJob) -> (LintedTemplate, ShellScript)? {
    guard let template = job.hook("pre-start"), let script = template.script else { return nil }
    return (template, script)
  }

  /// What a command makes: the files it writes to, and the folders and files it names.
  private static func made(_ command: ShellCommand, _ script: ShellScript) -> [String] {
    let written = command.redirects.filter(\.writes).map(\.target)
    let named = makers.contains(command.programName) ? command.arguments.filter { !$0.hasPrefix("-") } : []
    return (written + named).map(script.expanded)
  }

  static func tmpfs(_ job: LintedJob) -> [LintPlace] {
    guard let (template, script) = script(job) else { return [] }
    return script.commands.compactMap { command in
      for path in made(command, script) {
        guard let folder = Shapes.tmpfs.first(where: { path.hasPrefix($0) }) else { continue }
        return template.place("'\(command.name)' makes \(path), below \(folder)", line: command.line)
      }
      return nil
    }
  }

  static func temporary(_ job: LintedJob) -> [LintPlace] {
    guard let (template, script) = script(job) else { return [] }
    let removes = script.commands.contains { $0.programName == "rm" || $0.name == "trap" }
    return removes
      ? []
      : script.commands.compactMap { command in
        let path = made(command, script).first { $0.hasPrefix("/tmp/") || $0.hasPrefix("/var/tmp/") }
        return path.map { template.place("'\(command.name)' makes \($0)", line: command.line) }
      }
  }

  static func needed(_ job: LintedJob) -> [LintPlace] {
    guard let (template, script) = script(job), !job.usesBPM, !job.starts.isEmpty else { return [] }
    let isTrivial = script.commands.allSatisfy {
      $0.words.isEmpty || trivial.contains($0.programName) || trivial.contains($0.name)
    }
    return isTrivial && script.loops.isEmpty
      ? [template.place("nothing in it takes long; the start script can do it")] : []
  }

  static func idempotent(_ job: LintedJob) -> [LintPlace] {
    guard let (template, script) = script(job) else { return [] }
    let appended: [LintPlace] = script.commands.compactMap { command in
      guard let redirect = command.redirects.first(where: { $0.appends && $0.writes }), command.keyword == nil,
        command.previous == ""
      else { return nil }
      let path = script.expanded(redirect.target)
      guard path.hasPrefix("/etc/") || path.hasPrefix("/var/vcap/store/"), !path.hasSuffix(".log"),
        !isPrepared(path, before: command.line, script)
      else { return nil }
      return template.place("appends to \(path) every time", line: command.line)
    }
    return Shapes.idempotence(template, script.commands) + appended
  }

  /// Whether the script looks at the file before, or begins it anew.
  private static func isPrepared(_ path: String, before line: Int, _ script: ShellScript) -> Bool {
    script.commands.contains { command in
      guard command.line < line else { return false }
      return command.words.contains { script.expanded($0) == path }
        || command.redirects.contains { $0.writes && !$0.appends && script.expanded($0.target) == path }
    }
  }

  static func launches(_ job: LintedJob) -> [LintPlace] {
    guard let (template, script) = script(job) else { return [] }
    let waits = script.commands.contains { $0.name == "wait" }
    return script.commands.compactMap { command in
      let isBackground = command.next == "&" && !waits || command.words.contains("nohup")
      guard isBackground || command.programName == "start-stop-daemon" && command.has("--start", "-S") else {
        return nil
      }
      return template.place("starts '\(command.programName)' in the background", line: command.line)
    }
  }
}
