extension LintRule {
  static let forwardingRules: [LintRule] = [
    LintRule(
      "tee-logger", .error, .forwarding, "Scripts do not pipe their output through tee and logger.",
      reason:
        "Several processes are started for every line, it breaks in ways that are hard to see, it can run what is in "
        + "a log line, and forwarding is the operator's choice.",
      instead: "Redirect to files in /var/vcap/sys/log/JOB, and let operators deploy syslog-release.",
      job: ForwardingChecks.tee),
    LintRule(
      "process-per-line", .warning, .forwarding, "No process is started for every line of a log.",
      reason: "awk with system(\"date\") costs two processes per line, and holds lines back.",
      instead: "Let the process write the time itself.", job: ForwardingChecks.perLine),
    LintRule(
      "syslog-forwarding", .warning, .forwarding, "A job does not forward its logs.",
      reason:
        "Operators choose how logs leave the VM; a job that sends its own sends them twice, or where nobody looks.",
      instead: "Log to files in /var/vcap/sys/log/JOB; syslog-release and others forward these.",
      job: ForwardingChecks.syslog),
    LintRule(
      "metron-syslog", .warning, .forwarding, "metron_agent is not used to forward syslog.",
      reason: "syslog-release has taken its place.", instead: "Use metron_agent for loggregator only.",
      job: ForwardingChecks.metron),
    LintRule(
      "manifest-syslog", .advice, .forwarding, "Manifests that come with a release can add forwarding.",
      reason: "Otherwise every operator writes the same operations file.",
      instead: "Add an operations file that puts syslog-release's syslog_forwarder on every instance group.",
      release: ForwardingChecks.manifests),
  ]
}

private enum ForwardingChecks {
  static func tee(_ job: LintedJob) -> [LintPlace] {
    job.scripts.flatMap { template -> [LintPlace] in
      guard let script = template.script else { return [] }
      return script.commands.compactMap { command in
        let isRedirection = command.redirects.contains { $0.target.hasPrefix("<(") }
        let isPipe = command.programName == "tee" && command.isInner && command.hasFlag("a")
        let isHelper = command.name.hasPrefix("tee_output_to_sys_log") || command.name.hasPrefix("tee2_output")
        if isHelper { return template.place("'\(command.name)' pipes through tee and logger", line: command.line) }
        if command.programName == "tee", command.words.contains(where: { $0.contains("logger") || $0 == "<()" }) {
          return template.place("pipes its output through tee and logger", line: command.line)
        }
        let copies = script.commands.contains { $0.programName == "logger" && abs($0.line - command.line) <= 4 }
        if command.name == "exec", isRedirection, copies || isPipe {
          return template.place("pipes its output through logger", line: command.line)
        }
        return nil
      }
    }
  }

  static func perLine(_ job: LintedJob) -> [LintPlace] {
    job.scripts.flatMap { template in
      (template.script?.commands ?? []).filter { command in
        ["awk", "gawk", "mawk"].contains(command.programName) && command.words.contains { $0.contains("system(") }
      }.map { template.place("awk starts a process for every line", line: $0.line) }
    }
  }

  static func syslog(_ job: LintedJob) -> [LintPlace] {
    job.scripts.flatMap { template -> [LintPlace] in
      guard let script = template.script else { return [] }
      return script.commands.compactMap { command in
        let words = (command.words + command.redirects.filter(\.writes).map(\.target)).map(script.expanded)
        if let path = words.first(where: { $0.contains("/etc/rsyslog") || $0.contains("/etc/syslog") }) {
          return template.place("configures the VM's syslog: \(path.prefix(60))", line: command.line)
        }
        guard command.programName == "logger", command.previous == "|" || command.isInner else { return nil }
        return template.place("sends its output to syslog by 'logger'", line: command.line)
      }
    }
  }

  static func metron(_ job: LintedJob) -> [LintPlace] {
    let wanted = ["metron_agent.syslog", "syslog_daemon_config"]
    return ([job.specSource] + job.templates.map(\.source)).flatMap { source in
      source.lines.enumerated().compactMap { index, line in
        guard let found = wanted.first(where: { line.contains($0) }) else { return nil }
        return source.place("uses '\(found)'", line: index + 1)
      }
    }
  }

  static func manifests(_ release: LintedRelease) -> [LintPlace] {
    let deployments = release.manifests.filter { $0.text.contains("instance_groups:") }
    guard let first = deployments.first, !release.manifests.contains(where: { $0.text.contains("syslog") }),
      !release.manifests.contains(where: { $0.path.contains("syslog") })
    else { return [] }
    return [first.place("neither this nor an operations file says anything about syslog")]
  }
}
