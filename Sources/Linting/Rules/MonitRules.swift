internal import Releases
internal import Supervision

extension LintRule {
  static let monitRules: [LintRule] = [
    LintRule(
      "monit-missing", .error, .monit, "A job has a monit file; it may be empty.",
      reason: "No release can be made of it.", instead: "Add an empty file 'monit'.", job: MonitChecks.missing),
    LintRule(
      "monit-parses", .error, .monit, "The monit file can be read.",
      reason: "The job cannot be started; under monit, none of the VM's jobs can.",
      instead: "Correct what the message says.", job: MonitChecks.parses),
    LintRule(
      "monit-group", .error, .monit, "Every service is in the group vcap.",
      reason: "The agent starts, stops and watches only what is in this group.", instead: "Add the line 'group vcap'.",
      job: MonitChecks.group),
    LintRule(
      "monit-programs", .warning, .monit, "A process has a start program and a stop program.",
      reason: "Without both it is not started again when it dies.",
      instead: "Add 'start program \"…\"' and 'stop program \"…\"'.", job: MonitChecks.programs),
    LintRule(
      "monit-script-missing", .error, .monit, "The programs of the monit file are there.",
      reason: "The start fails with nothing but a note in a log.",
      instead: "Add a template for it to the spec, or correct the path.", job: MonitChecks.scripts),
    LintRule(
      "monit-memory", .warning, .monit, "The monit file does not watch memory or CPU.",
      reason: "It couples the job to monit, and restarts processes without warning and without a drain.",
      instead: "Set limits in bpm.yml or in the process, and watch by metrics.", job: MonitChecks.resources),
    LintRule(
      "monit-timeout", .warning, .monit, "Start and stop keep the default time limit of 30 seconds.",
      reason: "A longer limit hides that too much is done there; an update takes as long as its slowest stop.",
      instead: "Do what takes long in pre-start, post-start or drain, and leave out 'with timeout'.",
      job: MonitChecks.timeouts),
    LintRule(
      "monit-simple", .advice, .monit, "The monit file has nothing but pidfiles, start, stop and group.",
      reason: "Other features exist only as long as monit does.",
      instead: "Let post-start, the process or a metric see what such a test would.", job: MonitChecks.simple),
  ]
}

private enum MonitChecks {
  static func missing(_ job: LintedJob) -> [LintPlace] {
    job.monit == nil && job.kind == .job ? [job.specSource.place("job '\(job.name)' has no file monit")] : []
  }

  static func parses(_ job: LintedJob) -> [LintPlace] {
    guard let error = job.monitError, let monit = job.monit else { return [] }
    var message = error
    var line = 1
    let prefix = "\(monit.path) line "
    if message.hasPrefix(prefix) {
      let rest = message.dropFirst(prefix.count)
      line = Int(rest.prefix { $0.isNumber }) ?? 1
      message = String(rest.drop { $0 != ":" }.dropFirst(2))
    }
    return [monit.place(message, line: line)]
  }

  static func group(_ job: LintedJob) -> [LintPlace] {
    job.services.filter { !$0.isManaged }.map {
      job.monitPlace("'\($0.name)' is not in the group vcap", line: job.line(of: $0))
    }
  }

  static func programs(_ job: LintedJob) -> [LintPlace] {
    job.processes.compactMap { service in
      let lacking = [service.start == nil ? "start" : nil, service.stop == nil ? "stop" : nil].compactMap { $0 }
      guard !lacking.isEmpty else { return nil }
      return job.monitPlace(
        "'\(service.name)' has no \(lacking.joined(separator: " and no ")) program", line: job.line(of: service))
    }
  }

  static func scripts(_ job: LintedJob) -> [LintPlace] {
    job.services.flatMap { service in
      [("start", service.start), ("stop", service.stop)].compactMap { keyword, program in
        let prefix = "/var/vcap/jobs/\(job.name)/"
        guard let path = program?.arguments.first, path.hasPrefix(prefix), !path.contains("erb"),
          job.spec != nil, job.monitERB.isPlain,
          job.spec?.templates.contains(where: { $0.destination == path.dropFirst(prefix.count) }) != true,
          !path.hasPrefix("\(prefix)packages/")
        else { return nil }
        return job.monitPlace("no template becomes \(path)", line: job.line(of: keyword, in: service))
      }
    }
  }

  static func resources(_ job: LintedJob) -> [LintPlace] {
    job.services.flatMap { service in
      service.tests.compactMap { test in
        guard let resource = watched(test) else { return nil }
        return job.monitPlace("'\(service.name)' is watched for '\(resource.rawValue)'", line: test.line)
      }
    }
  }

  /// What of a process a test watches; nil for tests of disks and files.
  private static func watched(_ test: ServiceTest) -> ServiceTest.Resource? {
    guard case .resource(let resource, _, _, _) = test.condition else { return nil }
    let ofFiles: Set<ServiceTest.Resource> = [.space, .inodes, .size, .age]
    return ofFiles.contains(resource) ? nil : resource
  }

  static func timeouts(_ job: LintedJob) -> [LintPlace] {
    job.services.flatMap { service in
      [("start", service.start), ("stop", service.stop)].compactMap { keyword, program in
        guard let program, program.timeout != .seconds(30) else { return nil }
        let value = job.monitERB.isPlain ? "\(program.timeout.components.seconds) seconds" : "another value"
        return job.monitPlace(
          "'\(service.name)': the time limit of the \(keyword) is \(value)", line: job.line(of: keyword, in: service))
      }
    }
  }

  static func simple(_ job: LintedJob) -> [LintPlace] {
    job.services.flatMap { service -> [LintPlace] in
      var places = service.tests.compactMap { test -> LintPlace? in
        if watched(test) != nil { return nil }
        return job.monitPlace("'\(service.name)' has a test 'if … then …'", line: test.line)
      }
      if service.pidfile == nil {
        let what = service.kind.isProcess ? "is known by its command line, not by a pidfile" : "is no process"
        places.append(job.monitPlace("'\(service.name)' \(what)", line: job.line(of: service)))
      }
      return places
    }
  }
}
