internal import Releases

extension LintRule {
  /// ShellCheck's findings come under this name, by a program of their own.
  static let shellCheckID = "shellcheck"

  static let scriptRules: [LintRule] = [
    LintRule(
      shellCheckID, .warning, .scripts, "ShellCheck has nothing to say about shell scripts.",
      reason: "It knows the mistakes that are common in shell scripts, such as words that split where they should not.",
      instead: "Do what its page says: https://www.shellcheck.net/wiki/ and the number.", release: { _ in [] }),
    LintRule(
      "script-shebang", .error, .scripts, "A script that BOSH runs begins with '#!'.",
      reason: "Scripts are executed directly, not by a shell.", instead: "Begin with #!/bin/bash.",
      job: ScriptChecks.shebang),
    LintRule(
      "script-strict", .warning, .scripts, "A control script ends when a command fails.",
      reason: "Otherwise it goes on with what is half done, and exits with 0 if the last command is lucky.",
      instead: "Write 'set -eu -o pipefail' below the first line, and '|| true' where a failure does not matter.",
      job: ScriptChecks.strict),
    LintRule(
      "hook-name", .warning, .scripts, "Scripts that BOSH should run have the names that it looks for.",
      reason: "Any other name is taken for a file of the job's own, and never run.",
      instead: "Let the spec put it at bin/pre-start, bin/post-start, bin/post-deploy, bin/pre-stop, bin/drain, "
        + "bin/post-stop or bin/run.",
      job: ScriptChecks.hookName),
  ]
}

private enum ScriptChecks {
  static func shebang(_ job: LintedJob) -> [LintPlace] {
    let programs = (job.starts + job.stops).map(\.template) + LintedJob.hooks.compactMap { job.hook($0) }
    var seen: Set<String> = []
    return programs.filter { $0.shebang == nil && seen.insert($0.destination).inserted && !isEmpty($0) }.map {
      $0.place("does not begin with '#!'")
    }
  }

  private static func isEmpty(_ template: LintedTemplate) -> Bool {
    template.masked.allSatisfy { $0.isWhitespace } || template.masked.hasPrefix("ERB")
  }

  static func strict(_ job: LintedJob) -> [LintPlace] {
    job.controlScripts.compactMap { template in
      guard let script = template.script, let shebang = template.shebang, !script.isStrict else { return nil }
      let options = shebang.split(separator: " ").dropFirst()
      guard !options.contains(where: { $0.hasPrefix("-") && $0.contains("e") }) else { return nil }
      // One command is all there is: its failure is the script's.
      guard script.commands.filter({ !$0.words.isEmpty }).count > 1 else { return nil }
      return template.place("goes on when a command fails")
    }
  }

  static func hookName(_ job: LintedJob) -> [LintPlace] {
    guard job.kind == .job else { return [] }
    let hooks = Set(LintedJob.hooks.dropLast())
    return job.templates.compactMap { template in
      let file = ShellCommand.base(template.destination)
      let plain = String(file.split(separator: ".").first ?? "").map { $0 == "_" ? "-" : $0 }
      let wanted = String(plain)
      guard hooks.contains(wanted), template.destination != "bin/\(wanted)", job.hook(wanted) == nil,
        !job.templates.contains(where: { $0.masked.contains(template.destination) })
      else { return nil }
      return job.specSource.place(
        "'\(template.destination)' is not run; BOSH looks for bin/\(wanted)",
        line: job.specSource.line(of: template.destination))
    }
  }
}
