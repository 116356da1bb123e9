internal import Supervision

extension LintRule {
  static let processRules: [LintRule] = [
    LintRule(
      "drop-privileges", .warning, .start, "The process does not run as root.",
      reason: "The start script runs as root, and so does what it executes; a hole in the program opens the whole VM.",
      instead: "exec chpst -u vcap:vcap /var/vcap/packages/…, or run it by bpm.", job: ProcessChecks.dropPrivileges),
    LintRule(
      "bpm-privileged", .warning, .start, "bpm confines the process: 'unsafe.privileged' is not set.",
      reason: "A privileged process is root with everything root may do, which is what bpm is there to prevent.",
      instead: "Name what is needed in 'capabilities' or 'additional_volumes'.", job: ProcessChecks.bpmPrivileged),
    LintRule(
      "monit-as-uid", .warning, .start, "The start script changes the user, not the monit file.",
      reason: "'as uid' is a feature of monit; without monit nobody does it.",
      instead: "Use chpst, setpriv or bpm in the start script, and leave out 'as uid … and gid …'.",
      job: ProcessChecks.asUID),
    LintRule(
      "root-reach", .warning, .start, "Scripts, which run as root, touch only what is their own job's.",
      reason: "Killing by name, or changing shared folders, breaks other jobs of the VM.",
      instead: "Signal the process of your own pidfile, and name folders of your own job.", job: ProcessChecks.reach),
  ]
}

private enum ProcessChecks {
  static func dropPrivileges(_ job: LintedJob) -> [LintPlace] {
    job.starts.compactMap { start in
      guard start.program.user == nil, !start.commands.contains(where: Shapes.dropsPrivileges),
        let launch = start.commands.last(where: { !$0.isInner && Shapes.launches($0) })
      else { return nil }
      let program = start.script.expanded(launch.program)
      let isOwnScript = program.hasPrefix("/var/vcap/jobs/")
      guard !isOwnScript, !program.hasPrefix("$"), !program.contains("ERB") else { return nil }
      return start.place("'\(ShellCommand.base(program))' runs as root", launch)
    }
  }

  static func bpmPrivileged(_ job: LintedJob) -> [LintPlace] {
    guard let template = job.templates.first(where: { $0.destination == "config/bpm.yml" }) else { return [] }
    return template.masked.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap {
      index, line in
      let parts = line.split { $0 == " " || $0 == "\t" || $0 == "\r" }
      guard parts.first == "privileged:", parts.dropFirst().first == "true" else { return nil }
      return template.place("the process is privileged", line: index + 1)
    }
  }

  static func asUID(_ job: LintedJob) -> [LintPlace] {
    job.services.compactMap { service in
      let programs = [service.start, service.stop].compactMap { $0 }
      guard programs.contains(where: { $0.user != nil || $0.group != nil }) else { return nil }
      return job.monitPlace("'\(service.name)' is run 'as uid'", line: job.line(of: "uid", in: service))
    }
  }

  private static let shared: Set<String> = [
    "/", "/var", "/var/vcap", "/var/vcap/store", "/var/vcap/data", "/var/vcap/sys", "/var/vcap/sys/log",
    "/var/vcap/sys/run", "/var/vcap/jobs", "/var/vcap/packages", "/etc", "/tmp", "/usr",
  ]

  static func reach(_ job: LintedJob) -> [LintPlace] {
    job.controlScripts.flatMap { template -> [LintPlace] in
      guard let script = template.script else { return [] }
      return script.commands.compactMap { command in
        switch command.programName {
        case "pkill" where !command.has("-F", "--pidfile", "-P", "--parent"), "killall":
          return template.place(
            "'\(command.programName)' ends processes by name, whoever they belong to", line: command.line)
        case "chown", "chmod", "rm":
          if command.words.contains("777") {
            return template.place("'chmod 777' lets every user of the VM write there", line: command.line)
          }
          let isDeep = command.hasFlag("R") || command.hasFlag("r") || command.has("--recursive")
          let path = command.words.map(script.expanded).first { word in
            var word = word
            while word.count > 1, word.hasSuffix("/") || word.hasSuffix("/*") { word.removeLast() }
            return shared.contains(word)
          }
          guard isDeep, let path else { return nil }
          return template.place("'\(command.text)' changes \(path), which all jobs share", line: command.line)
        default: return nil
        }
      }
    }
  }
}
