internal import Releases

extension LintRule {
  static let errandRules: [LintRule] = [
    LintRule(
      "errand-execute", .error, .errands, "An errand has the script that it runs.",
      reason: "No release can be made of it.", instead: "Let the spec put a template at 'execute'.",
      job: ErrandChecks.execute),
    LintRule(
      "errand-lifecycle", .warning, .errands, "An errand has no monit file and no lifecycle scripts.",
      reason: "An errand is neither started nor stopped nor watched: they are never used.",
      instead: "Let 'execute' do what is needed, or make it a job with bin/run.", job: ErrandChecks.lifecycle),
    LintRule(
      "errand-paths", .warning, .errands, "An errand looks for its own files where it is installed.",
      reason: "An errand is in /var/vcap/errands, not in /var/vcap/jobs.",
      instead: "Write /var/vcap/errands/NAME, or take the folder of the script: ${0%/*}.", job: ErrandChecks.paths),
    LintRule(
      "errand-name", .error, .errands, "A job and an errand of a release have different names.",
      reason: "Manifests name both in the same way. No release can be made of it.", instead: "Rename one of them.",
      release: ErrandChecks.names),
  ]
}

private enum ErrandChecks {
  static func execute(_ job: LintedJob) -> [LintPlace] {
    guard job.kind == .errand, let spec = job.spec, !spec.isErrand(as: .errand) else { return [] }
    return [
      job.specSource.place(
        "no template becomes '\(JobKind.errand.script)'", line: job.specSource.line(ofKey: "templates"))
    ]
  }

  static func lifecycle(_ job: LintedJob) -> [LintPlace] {
    guard job.kind == .errand else { return [] }
    let monit = job.monit.flatMap { source in
      source.text.allSatisfy(\.isWhitespace) ? nil : source.place("an errand's monit file is not used")
    }
    // The last one is the script of a job that is run as an errand.
    let scripts = LintedJob.hooks.dropLast().compactMap { job.template("bin/\($0)") }
    return [monit].compactMap { $0 } + scripts.map { $0.place("'\($0.destination)' of an errand is not run") }
  }

  static func paths(_ job: LintedJob) -> [LintPlace] {
    guard job.kind == .errand else { return [] }
    return job.templates.compactMap { template in
      let path = "/var/vcap/jobs/\(job.name)/"
      guard template.source.text.contains(path) else { return nil }
      return template.place("uses \(path), where this errand is not", line: template.source.line(of: path))
    }
  }

  static func names(_ release: LintedRelease) -> [LintPlace] {
    let jobs = Set(release.jobs.filter { $0.kind == .job }.map(\.name))
    return release.jobs.filter { $0.kind == .errand && jobs.contains($0.name) }.map {
      $0.specSource.place("there is a job '\($0.name)', too", line: $0.specSource.line(ofKey: "name"))
    }
  }
}
