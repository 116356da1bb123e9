extension LintRule {
  static let loggingRules: [LintRule] = [
    LintRule(
      "log-place", .warning, .logging, "Logs are in /var/vcap/sys/log/JOB.",
      reason: "Only there they are rotated, fetched by 'logs', and forwarded by what operators deploy for that.",
      instead: "Log to /var/vcap/sys/log/JOB/PROCESS.stdout.log and PROCESS.stderr.log.", job: LoggingChecks.place),
    LintRule(
      "logs-kept", .warning, .logging, "What the process says on its outputs ends up in its log.",
      reason: "The supervisor gives programs no outputs: what is written there is lost.",
      instead:
        "Redirect both: exec … >>/var/vcap/sys/log/JOB/PROCESS.stdout.log 2>>/var/vcap/sys/log/JOB/PROCESS.stderr.log, "
        + "or tell the process where to log.",
      job: LoggingChecks.kept),
    LintRule(
      "logs-appended", .warning, .logging, "Logs are appended to.",
      reason:
        "'>' empties the log at every start, when the reason for the last death is what one looks for; and rotation "
        + "by copying leaves a hole where the process writes on.",
      instead: "Use '>>' and '2>>'.", job: LoggingChecks.appended),
  ]
}

private enum LoggingChecks {
  static func place(_ job: LintedJob) -> [LintPlace] {
    job.controlScripts.flatMap { template -> [LintPlace] in
      guard let script = template.script else { return [] }
      return script.commands.flatMap { command in
        command.redirects.filter(\.writes).compactMap { redirect -> LintPlace? in
          let path = script.expanded(redirect.target)
          let folder = "/var/vcap/sys/log/"
          let isElsewhere =
            path.hasSuffix(".log") && path.hasPrefix("/") && !path.hasPrefix(folder)
            && !path.hasPrefix("/var/vcap/data/sys/log/")
          let isOthers =
            path.hasPrefix(folder) && !path.dropFirst(folder.count).hasPrefix("\(job.name)/")
            && !path.dropFirst(folder.count).hasPrefix("$") && !path.dropFirst(folder.count).hasPrefix("ERB")
          guard isElsewhere || isOthers else { return nil }
          return template.place("logs to \(path), not below \(folder)\(job.name)", line: command.line)
        }
      }
    }
  }

  static func kept(_ job: LintedJob) -> [LintPlace] {
    job.starts.compactMap { start in
      guard let launch = start.commands.last(where: { !$0.isInner && Shapes.launches($0) }) else { return nil }
      let program = start.script.expanded(launch.program)
      guard !program.hasPrefix("$"), !program.contains("ERB"), !program.hasPrefix("/var/vcap/jobs/") else { return nil }
      let redirectsAll = start.script.commands.contains { command in
        command.name == "exec" && command.words.count == 1 && command.redirects.contains { $0.writes }
          || command.programName.contains("log") || command.name == "source" || command.name == "."
      }
      let outputs = Set(launch.redirects.filter(\.writes).flatMap { $0.takesBoth ? [1, 2] : [$0.descriptor] })
      let tellsWhere = launch.words.contains { word in
        let path = start.script.expanded(word)
        return path.contains("/var/vcap/sys/log/") || path.contains("log") || path.contains("/config/")
          || path.contains("/etc/")
      }
      let isComplete = outputs.isSuperset(of: [1, 2]) || launch.next == "|" || launch.next == "|&"
      guard !redirectsAll, !isComplete, !tellsWhere else { return nil }
      let lost = outputs.contains(1) ? "standard error" : outputs.contains(2) ? "standard output" : "outputs"
      return start.place("the \(lost) of '\(ShellCommand.base(program))' is not redirected", launch)
    }
  }

  static func appended(_ job: LintedJob) -> [LintPlace] {
    job.controlScripts.flatMap { template -> [LintPlace] in
      guard let script = template.script else { return [] }
      return script.commands.compactMap { command in
        let redirect = command.redirects.first { redirect in
          let path = script.expanded(redirect.target)
          return redirect.writes && !redirect.appends && path.hasPrefix("/var/vcap/sys/log/") && path.hasSuffix(".log")
        }
        return redirect.map { template.place("'\($0.sign)' empties \($0.target)", line: command.line) }
      }
    }
  }
}
