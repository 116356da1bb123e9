internal import Releases

extension LintRule {
  static let drainRules: [LintRule] = [
    LintRule(
      "drain-missing", .advice, .drain, "A process that others are connected to has a drain script.",
      reason:
        "Without one, stopping it cuts connections and fails requests that are under way. With a drain it can first "
        + "say to its load balancer, or to those who call it, that it is about to go.",
      instead:
        "Add bin/drain: signal the process to report itself unhealthy, wait until it has no more requests, print 0.",
      job: DrainChecks.missing),
    LintRule(
      "drain-ends", .error, .drain, "A drain script ends, whatever happens.",
      reason: "It has no time limit: a drain that does not end blocks the deploy for ever.",
      instead: "Give the work a limit of your own, such as 10 minutes, and go on after it.", job: DrainChecks.ends),
    LintRule(
      "drain-request-limit", .warning, .drain, "A request of a drain script has a time limit.",
      reason: "A process that takes a connection and never answers blocks the deploy.",
      instead: "curl --max-time, or timeout in front of the command.", job: DrainChecks.requests),
    LintRule(
      "drain-number", .error, .drain, "A drain script prints a number: 0 when it is done.",
      reason: "The agent reads an integer from its standard output; without one, stopping fails.",
      instead: "echo 0 at the end, on every path; a negative number asks to be called again after so many seconds.",
      job: DrainChecks.number),
    LintRule(
      "drain-only-number", .error, .drain, "A drain script prints nothing but its number.",
      reason: "All of its standard output is read as one integer; any other word makes stopping fail.",
      instead: "Begin with: exec 3>&1 1>>/var/vcap/sys/log/JOB/drain.log 2>&1, and end with: echo 0 >&3",
      job: DrainChecks.onlyNumber),
    LintRule(
      "drain-simple", .advice, .drain, "The process drains itself; the script asks it to, and waits.",
      reason: "Draining that a script does by itself is hard to test and knows little of what the process is doing.",
      instead: "Give the process a drain request or signal, and wait in the script until it is done.",
      job: DrainChecks.simple),
    LintRule(
      "drain-waits-for-other", .advice, .drain,
      "A drain script does not look into other jobs for the end of their drain.",
      reason: "Pidfiles and processes of other jobs say nothing about whether these have drained.",
      instead: "Wait with a limit for something that the other job says by itself, such as its health request.",
      job: DrainChecks.waitsForOther),
  ]
}

private enum DrainChecks {
  private static func script(_ job: LintedJob) -> (LintedTemplate, ShellScript)? {
    guard let template = job.hook("drain"), let script = template.script else { return nil }
    return (template, script)
  }

  static func missing(_ job: LintedJob) -> [LintPlace] {
    guard let provided = job.spec?.provides.first, !job.processes.isEmpty, job.hook("drain") == nil else { return [] }
    return [
      job.specSource.place(
        "others use the link '\(provided.name)', and there is no bin/drain",
        line: job.specSource.line(ofKey: "provides"))
    ]
  }

  static func ends(_ job: LintedJob) -> [LintPlace] {
    guard let (template, _) = script(job) else { return [] }
    return Shapes.unbounded(template, "may never end: nothing counts its turns")
  }

  static func requests(_ job: LintedJob) -> [LintPlace] {
    guard let (template, script) = script(job) else { return [] }
    return script.commands.compactMap { command in
      guard ["curl", "wget", "redis-cli", "nc"].contains(command.programName), command.words.count > 1,
        !Shapes.hasTimeLimit(command), command.programName != "nc" || !command.has("-z")
      else { return nil }
      return template.place("'\(command.programName)' has no time limit", line: command.line)
    }
  }

  private static func isNumber(_ text: String) -> Bool {
    var text = text[...]
    if text.first == "-" || text.first == "+" { text = text.dropFirst() }
    if text.hasSuffix("\\n") { text = text.dropLast(2) }
    return !text.isEmpty && text.allSatisfy(\.isNumber)
  }

  /// Whether the command can be what prints the number.
  private static func mayPrintNumber(_ command: ShellCommand, _ script: ShellScript) -> Bool {
    guard Shapes.isOutput(command), !command.isInner else { return false }
    let toFile = command.redirects.contains { $0.writes && $0.descriptor == 1 && Int($0.target) == nil }
    guard !toFile, !command.redirects.contains(where: { $0.target == "2" }) else { return false }
    let said = command.arguments.filter { !["-n", "-e", "-ne", "-en"].contains($0) }
    if command.name == "printf", said.first?.contains("%") ?? false { return true }
    return said.count == 1
      && said.allSatisfy { isNumber($0) || $0.hasPrefix("$") || $0.contains("ERB") || $0.hasPrefix("-$") }
  }

  /// Something else than `echo` that may print the number: another script or program, or what a script reads in.
  private static func handsOver(_ command: ShellCommand) -> Bool {
    command.name == "exec" && command.words.count > 1 || command.name == "source" || command.name == "."
      || command.program.contains("/") || command.program.hasPrefix("$") || command.programName == "cat"
      || ["ruby", "python", "python3", "perl", "awk", "seq", "expr", "sleep_time"].contains(command.programName)
  }

  static func number(_ job: LintedJob) -> [LintPlace] {
    guard let (template, script) = script(job) else { return [] }
    let says = script.commands.contains { mayPrintNumber($0, script) || handsOver($0) && $0.redirects.isEmpty }
    return says ? [] : [template.place("nothing in it prints a number")]
  }

  static func onlyNumber(_ job: LintedJob) -> [LintPlace] {
    guard let (template, script) = script(job) else { return [] }
    let redirected = script.commands.first { command in
      command.name == "exec" && command.words.count == 1
        && command.redirects.contains { $0.writes && $0.descriptor == 1 && $0.target != "1" }
    }
    // What reads or defines log functions may redirect, too.
    let isOpaque = script.commands.contains { $0.programName.contains("sys_log") }
    return script.commands.compactMap { command in
      guard Shapes.isOutput(command), !command.isInner, command.line < redirected?.line ?? .max, !isOpaque,
        command.next != "|", command.function == nil, !command.redirects.contains(where: { $0.writes }),
        !mayPrintNumber(command, script)
      else { return nil }
      return template.place("'\(command.text.prefix(60))' goes to the standard output", line: command.line)
    }
  }

  static func simple(_ job: LintedJob) -> [LintPlace] {
    guard let (template, script) = script(job) else { return [] }
    let lines = Set(script.commands.map(\.line)).count
    return lines > 60 ? [template.place("has \(lines) lines of commands")] : []
  }

  static func waitsForOther(_ job: LintedJob) -> [LintPlace] {
    guard let (template, script) = script(job) else { return [] }
    for command in script.commands {
      for word in command.words + command.assignments + command.redirects.map(\.target) {
        let path = script.expanded(word)
        guard let found = path.firstRange(of: "/var/vcap/sys/run/") else { continue }
        let rest = path[found.upperBound...].split(separator: "/")
        let owner = rest.first == "bpm" ? rest.dropFirst().first : rest.first
        guard let owner, owner != job.name, !owner.contains("$"), !owner.contains("ERB"), rest.count > 1 else {
          continue
        }
        return [template.place("looks at \(path), which is another job's", line: command.line)]
      }
    }
    return []
  }
}
