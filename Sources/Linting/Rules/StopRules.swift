internal import Releases

extension LintRule {
  static let stopRules: [LintRule] = [
    LintRule(
      "stop-signals", .warning, .stop, "Stopping begins with SIGTERM.",
      reason: "SIGKILL gives the process no chance to finish what it is writing.",
      instead: "Send SIGTERM, wait, and SIGKILL only then: 'sipid kill', or start-stop-daemon --retry TERM/20/KILL.",
      job: StopChecks.signals),
    LintRule(
      "stop-kills", .warning, .stop, "A process that does not end by itself is killed before the time is over.",
      reason: "After 30 seconds the supervisor takes the stop for failed, and the deploy with it.",
      instead: "Send SIGKILL when SIGTERM has had no effect for 20 seconds: 'sipid kill', or start-stop-daemon --retry "
        + "TERM/20/KILL.",
      job: StopChecks.kills),
    LintRule(
      "stop-quick", .warning, .stop, "Stopping takes at most 10 seconds or so, and never more than 30.",
      reason: "After 30 seconds the supervisor takes the stop for failed.",
      instead: "Do what takes long in the drain script.", job: StopChecks.quick),
    LintRule(
      "stop-by-hand", .advice, .stop, "Ending a process within a time limit is left to a tool.",
      reason: "Every loop of 'kill -0' and 'sleep' has its own mistakes: stale pidfiles, zombies, no limit.",
      instead: "Use 'sipid kill --pid-file', or start-stop-daemon --stop --oknodo --pidfile … --retry TERM/20/KILL.",
      job: StopChecks.byHand),
    LintRule(
      "stop-stacks", .advice, .stop, "A Go or Java process that has to be killed is made to show its stacks first.",
      reason: "What it was stuck in is lost with it.",
      instead: "Send SIGQUIT just before SIGKILL: 'sipid kill --show-stacks', or --retry TERM/20/QUIT/1/KILL.",
      job: StopChecks.stacks),
    LintRule(
      "stop-ended", .warning, .stop, "Stopping a process that has ended already is no error.",
      reason: "A drain script, or a death, may have been quicker.",
      instead: "Use --oknodo, or go on when the pidfile or the process is not there.", job: StopChecks.ended),
    LintRule(
      "monit-called", .warning, .stop, "Scripts do not call monit.",
      reason:
        "The job is no longer watched when it is drained and stopped, so nothing has to be said; and monit may not "
        + "be what watches.",
      instead: "Leave it out. The process may simply end, in the drain or in the stop script.", job: StopChecks.monit),
  ]
}

private enum StopChecks {
  private static func isKill(_ command: ShellCommand) -> Bool {
    command.programName == "kill" && !command.words.contains("-0")
  }

  private static func signal(_ command: ShellCommand) -> String {
    for (index, word) in command.words.enumerated() where index > 0 {
      if word == "-s", index + 1 < command.words.count { return command.words[index + 1].uppercased() }
      if word.hasPrefix("-"), word.count > 1 { return String(word.dropFirst()).uppercased() }
    }
    return "TERM"
  }

  private static func isKILL(_ command: ShellCommand) -> Bool { ["9", "KILL", "SIGKILL"].contains(signal(command)) }

  private static func isDaemonTool(_ command: ShellCommand) -> Bool {
    command.programName == "start-stop-daemon" && command.has("--stop", "-K")
  }

  /// Helpers that many releases have: they do all of it.
  private static func isHelper(_ command: ShellCommand) -> Bool {
    ["sipid", "kill_and_wait", "wait_pidfile", "wait_pid", "stop_process"].contains(command.programName)
      || command.name == "source" || command.name == "."
  }

  static func signals(_ job: LintedJob) -> [LintPlace] {
    job.stops.compactMap { stop in
      guard let kill = stop.commands.first(where: isKill), isKILL(kill), !stop.commands.contains(where: isHelper) else {
        return nil
      }
      return stop.place("the first signal is SIGKILL", kill)
    }
  }

  static func kills(_ job: LintedJob) -> [LintPlace] {
    job.stops.compactMap { stop in
      if stop.commands.contains(where: isHelper) { return nil }
      if let tool = stop.commands.first(where: isDaemonTool) {
        guard !tool.words.contains(where: { $0.contains("KILL") || $0.contains("/9") }) else { return nil }
        let numbered = tool.words.firstIndex { $0 == "--retry" || $0 == "-R" }.flatMap { index in
          index + 1 < tool.words.count ? Int(tool.words[index + 1]) : nil
        }
        let hasRetry =
          numbered != nil || tool.words.contains { $0.hasPrefix("--retry=") && Int($0.dropFirst(8)) != nil }
        return hasRetry ? nil : stop.place("start-stop-daemon is not told to kill in the end", tool)
      }
      guard let kill = stop.commands.first(where: isKill),
        !stop.commands.contains(where: { isKill($0) && isKILL($0) })
      else { return nil }
      return stop.place("sends SIG\(signal(kill)), and never SIGKILL", kill)
    }
  }

  static func quick(_ job: LintedJob) -> [LintPlace] {
    job.stops.flatMap { stop -> [LintPlace] in
      let lines = Set(stop.commands.map(\.line))
      var places = stop.script.loops.filter { loop in
        !loop.isBounded && loop.commands.contains { lines.contains($0.line) }
      }
      .map { stop.template.place("this '\($0.kind)' may never end: nothing counts its turns", line: $0.line) }
      for command in stop.commands {
        if command.programName == "sleep", let seconds = command.words.last.flatMap({ Int(stop.script.expanded($0)) }),
          seconds >= 10
        {
          places.append(stop.place("sleeps for \(seconds) seconds", command))
        }
        let schedule = command.words.firstIndex { $0 == "--retry" }.map { $0 + 1 }
        if isDaemonTool(command), let schedule, schedule < command.words.count {
          let seconds = command.words[schedule].split(separator: "/").compactMap { Int($0) }.reduce(0, +)
          if seconds >= 30 { places.append(stop.place("may take \(seconds) seconds", command)) }
        }
      }
      return places
    }
  }

  static func byHand(_ job: LintedJob) -> [LintPlace] {
    job.stops.compactMap { stop in
      guard let probe = stop.commands.first(where: { $0.programName == "kill" && $0.words.contains("-0") }),
        stop.commands.contains(where: { $0.programName == "sleep" })
      else { return nil }
      return stop.place("waits by 'kill -0' and 'sleep'", probe)
    }
  }

  private static let runtimes = ["golang", "go-", "java", "jdk", "jre", "openjdk"]

  static func stacks(_ job: LintedJob) -> [LintPlace] {
    guard let package = job.spec?.packages.first(where: { name in runtimes.contains { name.contains($0) } }) else {
      return []
    }
    return job.stops.compactMap { stop in
      guard let kill = stop.commands.first(where: { isKill($0) || isDaemonTool($0) || $0.programName == "sipid" }),
        !stop.commands.contains(where: { command in
          command.words.contains { $0.contains("QUIT") || $0 == "-3" || $0 == "--show-stacks" }
        })
      else { return nil }
      return stop.place("the job has the package '\(package)', and no SIGQUIT is sent", kill)
    }
  }

  static func ended(_ job: LintedJob) -> [LintPlace] {
    job.stops.compactMap { stop in
      guard stop.script.isStrict || stop.template.shebang?.contains(" -e") ?? false else { return nil }
      if let tool = stop.commands.first(where: isDaemonTool) {
        let minds = !tool.has("--oknodo", "-o") && tool.next != "||" && tool.keyword == nil
        return minds ? stop.place("start-stop-daemon fails when nothing runs", tool) : nil
      }
      guard let kill = stop.commands.first(where: isKill), kill.next != "||", kill.keyword == nil, kill.previous == "",
        !stop.commands.contains(where: { $0.keyword != nil && $0.line <= kill.line })
      else { return nil }
      return stop.place("'kill' fails when the process has ended", kill)
    }
  }

  static func monit(_ job: LintedJob) -> [LintPlace] {
    job.controlScripts.filter { !job.isErrandScript($0) }.flatMap { template in
      (template.script?.commands ?? []).filter { $0.programName == "monit" && $0.words.count > 1 }.map { command in
        template.place("calls '\(command.text.prefix(60))'", line: command.line)
      }
    }
  }
}
