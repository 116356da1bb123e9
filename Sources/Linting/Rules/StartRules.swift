internal import Supervision

extension LintRule {
  static let startRules: [LintRule] = [
    LintRule(
      "pidfile-written", .error, .start, "The start script writes the pidfile that the monit file names.",
      reason: "The supervisor waits for this pidfile, and watches the process it names; without it the start fails.",
      instead:
        "Write $$ to the pidfile right before 'exec', or use 'sipid claim', start-stop-daemon --make-pidfile, bpm.",
      job: StartChecks.pidfileWritten),
    LintRule(
      "pidfile-before-exec", .error, .start, "The pidfile is written before the process is executed.",
      reason: "What stands after 'exec' is never run.", instead: "Move the line above 'exec'.",
      job: StartChecks.pidfileBeforeExec),
    LintRule(
      "exec-process", .warning, .start, "The start script becomes the process, by 'exec'.",
      reason:
        "A process in the background is another one than the script: its pid has to be caught, and what goes wrong "
        + "right after the start is not seen.",
      instead: "Write $$ to the pidfile, then 'exec' the process.", job: StartChecks.exec),
    LintRule(
      "start-quick", .warning, .start, "The start script does nothing that takes long.",
      reason: "The supervisor allows 30 seconds until the pidfile is there.",
      instead: "Move long work to pre-start, and waiting for readiness to post-start.", job: StartChecks.quick),
    LintRule(
      "start-idempotent", .warning, .start, "The start script can run again and again.",
      reason:
        "It runs at every start and after every death, perhaps with the folders, links and accounts of last time.",
      instead: "Use commands that do not mind: mkdir -p, ln -sfn, a test in front of what is done only once.",
      job: StartChecks.idempotent),
    LintRule(
      "start-claims-pidfile", .warning, .start, "The start script leaves a process alone that already runs.",
      reason: "The script may be called although nothing was stopped. Then two processes run, and only one is watched.",
      instead:
        "Read the pidfile first, and exit when it names a running process; 'sipid claim' and start-stop-daemon do.",
      job: StartChecks.claims),
    LintRule(
      "run-folder", .warning, .start, "The start script makes the folder of its pidfile.",
      reason: "/var/vcap/sys/run is in memory: after a reboot what was made there is gone.",
      instead: "mkdir -p /var/vcap/sys/run/JOB in the start script.", job: StartChecks.runFolder),
    LintRule(
      "log-folder", .warning, .start, "The start script makes the folder that it logs to.",
      reason: "Redirecting into a folder that is not there ends the script before the process runs.",
      instead: "mkdir -p /var/vcap/sys/log/JOB in the start script.", job: StartChecks.logFolder),
    LintRule(
      "folders-owner", .warning, .start, "The log and run folders belong to vcap when the process runs as vcap.",
      reason: "The start script runs as root, and so are the folders that it makes; the process cannot write there.",
      instead: "chown vcap:vcap after mkdir -p.", job: StartChecks.owner),
    LintRule(
      "pidfile-place", .warning, .start, "The pidfile is /var/vcap/sys/run/JOB/TASK.pid.",
      reason: "Elsewhere it may survive a reboot and name some other process, or be another job's.",
      instead: "Use /var/vcap/sys/run/JOB/TASK.pid, or bpm's /var/vcap/sys/run/bpm/JOB/TASK.pid.",
      job: StartChecks.pidfilePlace),
  ]
}

enum StartChecks {
  static func pidfileWritten(_ job: LintedJob) -> [LintPlace] {
    job.starts.compactMap { start in
      guard let pidfile = start.service.pidfile, !pidfile.contains("ERB"), !pidfile.contains("/erb") else { return nil }
      let file = ShellCommand.base(pidfile)
      // The process itself may write it, when it is told where.
      let isNamed = job.templates.contains { template in
        template.masked.contains(file)
          || template.script.map {
            $0.commands.contains { command in
              command.words.contains { $0.contains(".pid") && template.masked.contains(String(file.dropLast(4))) }
            }
          } ?? false
      }
      let writes = start.commands.contains { Shapes.writesPid($0, start.script) }
      guard !isNamed, !writes else { return nil }
      return start.template.place("nothing in this job writes \(pidfile), which the monit file waits for")
    }
  }

  static func pidfileBeforeExec(_ job: LintedJob) -> [LintPlace] {
    job.starts.compactMap { start in
      guard
        let launch = start.commands.first(where: {
          $0.name == "exec" && $0.words.count > 1 && $0.keyword == nil && $0.previous == "" && !$0.isInner
        }),
        let write = start.commands.first(where: { Shapes.writesPid($0, start.script) && $0.line > launch.line }),
        write.branch == launch.branch, write.function == launch.function,
        !start.commands.contains(where: { Shapes.writesPid($0, start.script) && $0.line <= launch.line })
      else { return nil }
      return start.place("the pidfile is written after 'exec' in line \(launch.line)", write)
    }
  }

  static func exec(_ job: LintedJob) -> [LintPlace] {
    job.starts.compactMap { start in
      guard let write = start.commands.first(where: { $0.words.contains("$!") && Shapes.writesPid($0, start.script) })
      else { return nil }
      return start.place("the process is started in the background, and '$!' written to the pidfile", write)
    }
  }

  private static let slow: Set<String> = [
    "curl", "wget", "tar", "unzip", "rsync", "apt-get", "pip", "npm", "make", "initdb", "rake",
  ]

  static func quick(_ job: LintedJob) -> [LintPlace] {
    job.starts.flatMap { start in
      start.commands.compactMap { command in
        switch command.programName {
        case "sleep": return start.place("the start sleeps", command)
        case let name where slow.contains(name): return start.place("'\(name)' may take long", command)
        case "chown" where command.hasFlag("R") && command.words.contains { $0.contains("/var/vcap/store") }:
          return start.place("'chown -R' of persistent data takes long when there is much of it", command)
        default: return nil
        }
      }
    }
  }

  static func idempotent(_ job: LintedJob) -> [LintPlace] {
    job.starts.flatMap { Shapes.idempotence($0.template, $0.commands) }
  }

  static func claims(_ job: LintedJob) -> [LintPlace] {
    job.starts.compactMap { start in
      guard
        let write = start.commands.first(where: {
          Shapes.writesPid($0, start.script) && Shapes.isOutput($0)
        })
      else { return nil }
      let looks = start.commands.contains { command in
        let words = command.words
        return command.name == "kill" && words.contains("-0") || command.name == "flock" || command.name == "pgrep"
          || ["pid_guard", "pid_exists", "check_pidfile", "is_running", "sipid"].contains(command.programName)
          || command.programName == "ps" || words.contains { $0.hasPrefix("/proc/$") }
      }
      return looks ? nil : start.place("the pidfile is written without a look at the process that it may name", write)
    }
  }

  static func makes(_ folder: String, _ start: LintedJob.Control) -> Bool {
    start.commands.contains { command in
      guard ["mkdir", "install"].contains(command.programName) || command.name == "cd" else { return false }
      return command.words.contains { word in
        let path = start.script.expanded(word)
        return path == folder || path.hasPrefix(folder + "/") || path == "$(dirname \(folder))"
          || path.contains("dirname")
      }
    } || sourcesAnother(start)
  }

  /// What a script reads from elsewhere may do anything.
  private static func sourcesAnother(_ start: LintedJob.Control) -> Bool {
    start.commands.contains { $0.name == "source" || $0.name == "." }
  }

  static func runFolder(_ job: LintedJob) -> [LintPlace] {
    job.starts.compactMap { start in
      guard let pidfile = start.service.pidfile, pidfile.hasPrefix("/var/vcap/sys/run/"), !job.isBPM(start.service),
        let write = start.commands.first(where: { Shapes.writesPid($0, start.script) }), write.programName != "sipid"
      else { return nil }
      let folder = pidfile.split(separator: "/").dropLast().map { "/\($0)" }.joined()
      return makes(folder, start) ? nil : start.place("\(folder) is not made here", write)
    }
  }

  static func logFolder(_ job: LintedJob) -> [LintPlace] {
    job.starts.compactMap { start in
      for command in start.commands {
        for redirect in command.redirects where redirect.writes {
          let path = start.script.expanded(redirect.target)
          guard path.hasPrefix("/var/vcap/sys/log/") else { continue }
          let folder = path.split(separator: "/").dropLast().map { "/\($0)" }.joined()
          return makes(folder, start) ? nil : start.place("\(folder) is not made here", command)
        }
      }
      return nil
    }
  }

  static func owner(_ job: LintedJob) -> [LintPlace] {
    job.starts.compactMap { start in
      guard start.commands.contains(where: Shapes.dropsPrivileges), start.program.user == nil,
        let make = start.commands.first(where: { command in
          command.programName == "mkdir"
            && command.words.contains { start.script.expanded($0).hasPrefix("/var/vcap/sys/") }
        }),
        !start.commands.contains(where: { $0.programName == "chown" || $0.words.contains("-o") }),
        !sourcesAnother(start)
      else { return nil }
      return start.place("the folders are made here, and stay root's", make)
    }
  }

  static func pidfilePlace(_ job: LintedJob) -> [LintPlace] {
    job.processes.compactMap { service in
      guard let pidfile = service.pidfile, job.monitERB.isPlain else { return nil }
      let folders = ["/var/vcap/sys/run/\(job.name)/", "/var/vcap/sys/run/bpm/\(job.name)/"]
      guard !folders.contains(where: { pidfile.hasPrefix($0) }) || !pidfile.hasSuffix(".pid") else { return nil }
      return job.monitPlace("the pidfile is \(pidfile)", line: job.line(of: "pidfile", in: service))
    }
  }
}
