internal import Releases
internal import Supervision

extension LintRule {
  static let orderRules: [LintRule] = [
    LintRule(
      "start-waits", .warning, .order, "A process starts and stays up although what it depends on is not ready.",
      reason:
        "Jobs are started in any order. A start script that waits for others runs into the supervisor's time limit.",
      instead: "Start the process at once, let it try again by itself, and tell in post-start whether it is ready.",
      job: OrderChecks.startWaits),
    LintRule(
      "readiness", .advice, .order, "A job says that it is healthy only once what it needs is healthy.",
      reason: "Without a check of its own, a job counts as ready as soon as its process runs, and an update goes on.",
      instead: "Add bin/post-start that asks the process, for a limited time, whether it can answer requests.",
      job: OrderChecks.readiness),
    LintRule(
      "depends-on", .warning, .order, "Services can be started in any order.",
      reason:
        "An order in the monit file hides that a process cannot bear its dependency's absence, and every restart of "
        + "the one restarts the other.",
      instead: "Leave out 'depends on', and let the process try again until what it needs is there.",
      job: OrderChecks.dependsOn),
    LintRule(
      "depends-on-unknown", .error, .order, "A service depends only on services of its own job.",
      reason:
        "Which jobs are on a VM is the operator's choice; without the other job no monit file is accepted at all.",
      instead: "Leave out 'depends on', and use a link to find the other job.", job: OrderChecks.dependsOnUnknown),
    LintRule(
      "other-jobs-files", .warning, .order, "A control script uses only its own job's files.",
      reason: "The other job may be on another VM, or be started later.",
      instead: "Use a link for what has to be known, and packages for what is shared.", job: OrderChecks.otherJobs),
  ]
}

private enum OrderChecks {
  static func startWaits(_ job: LintedJob) -> [LintPlace] {
    job.starts.flatMap { start in
      start.script.loops.compactMap { loop in
        guard let asks = loop.commands.first(where: { Shapes.network.contains($0.programName) }),
          start.commands.contains(where: { $0.line == asks.line })
        else { return nil }
        return start.template.place("the start waits in a loop for '\(asks.programName)' to succeed", line: loop.line)
      }
    }
  }

  static func readiness(_ job: LintedJob) -> [LintPlace] {
    guard let needed = job.spec?.consumes.first(where: { !$0.isOptional }), !job.processes.isEmpty,
      job.hook("post-start") == nil, !job.services.contains(where: { !$0.tests.isEmpty })
    else { return [] }
    return [
      job.specSource.place(
        "the job needs the link '\(needed.name)' and has no bin/post-start",
        line: job.specSource.line(ofKey: "consumes"))
    ]
  }

  static func dependsOn(_ job: LintedJob) -> [LintPlace] {
    job.services.flatMap { service in
      service.dependencies.filter { name in job.services.contains { $0.name == name } }.map { name in
        job.monitPlace("'\(service.name)' depends on '\(name)'", line: job.line(of: "depends", in: service))
      }
    }
  }

  static func dependsOnUnknown(_ job: LintedJob) -> [LintPlace] {
    guard job.monitERB.isPlain else { return [] }
    return job.services.flatMap { service in
      service.dependencies.filter { name in !job.services.contains { $0.name == name } }.map { name in
        job.monitPlace(
          "'\(service.name)' depends on '\(name)', which is not in this file",
          line: job.line(of: "depends", in: service))
      }
    }
  }

  static func otherJobs(_ job: LintedJob) -> [LintPlace] {
    job.controlScripts.filter { !job.isErrandScript($0) }.flatMap { template -> [LintPlace] in
      guard let script = template.script else { return [] }
      var seen: Set<String> = []
      return script.commands.compactMap { command in
        for word in command.words + command.redirects.map(\.target) {
          let path = script.expanded(word)
          guard let found = path.firstRange(of: "/var/vcap/jobs/") else { continue }
          let name = path[found.upperBound...].prefix { $0.isLetter || $0.isNumber || "-_.".contains($0) }
          guard !name.isEmpty, !["bpm", "ERB", job.name].contains(String(name)), seen.insert(String(name)).inserted
          else { continue }
          return template.place("uses /var/vcap/jobs/\(name), which belongs to another job", line: command.line)
        }
        return nil
      }
    }
  }
}
