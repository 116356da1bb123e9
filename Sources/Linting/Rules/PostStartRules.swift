extension LintRule {
  static let postStartRules: [LintRule] = [
    LintRule(
      "post-start-ends", .error, .postStart, "Post-start gives up after a while.",
      reason: "It has no time limit: when the process never gets ready, the deploy never ends.",
      instead: "Count the tries, or look at the clock, and exit with 1 and a reason.", job: PostStartChecks.ends),
    LintRule(
      "post-start-checks", .advice, .postStart, "Post-start asks the process whether it is ready.",
      reason: "It counts as ready as soon as post-start exits with 0; a script that asks nothing delays only.",
      instead: "Ask the process for its health until it says so, for a limited time.", job: PostStartChecks.checks),
    LintRule(
      "post-start-request-limit", .warning, .postStart, "A request of post-start has a time limit.",
      reason: "A process that takes a connection and never answers blocks the deploy.",
      instead: "curl --max-time, or timeout in front of the command.", job: PostStartChecks.requests),
    LintRule(
      "post-deploy-checks", .advice, .postStart,
      "Post-deploy looks at the whole deployment, and does not set up anything.",
      reason:
        "It runs only when a deploy has gone well on all instances: not after a resurrection, a recreate of one VM "
        + "or a restart, so that what it sets up is missing then.",
      instead: "Set up in pre-start or in the process, and check one instance in post-start.",
      job: PostStartChecks.postDeploy),
  ]
}

private enum PostStartChecks {
  static func ends(_ job: LintedJob) -> [LintPlace] {
    ["post-start", "post-deploy"].compactMap { job.hook($0) }.flatMap {
      Shapes.unbounded($0, "may never end: nothing counts its turns")
    }
  }

  static func checks(_ job: LintedJob) -> [LintPlace] {
    guard let template = job.hook("post-start"), let script = template.script, script.loops.isEmpty,
      let pause = script.commands.first(where: { $0.programName == "sleep" })
    else { return [] }
    return [template.place("sleeps instead of asking", line: pause.line)]
  }

  static func requests(_ job: LintedJob) -> [LintPlace] {
    guard let template = job.hook("post-start"), let script = template.script else { return [] }
    return script.commands.compactMap { command in
      guard ["curl", "wget"].contains(command.programName), !Shapes.hasTimeLimit(command), command.words.count > 1
      else {
        return nil
      }
      return template.place("'\(command.programName)' has no time limit", line: command.line)
    }
  }

  private static let setup: Set<String> = [
    "mkdir", "chown", "chmod", "cp", "mv", "ln", "install", "useradd", "touch", "start-stop-daemon", "monit",
  ]

  static func postDeploy(_ job: LintedJob) -> [LintPlace] {
    guard let template = job.hook("post-deploy"), let script = template.script,
      let command = script.commands.first(where: { setup.contains($0.programName) })
    else { return [] }
    return [template.place("'\(command.programName)' sets something up", line: command.line)]
  }
}
