internal import Releases

extension LintRule {
  static let specRules: [LintRule] = [
    LintRule(
      "spec-valid", .error, .release, "The spec can be read, and names the job as its folder does.",
      reason: "No release can be made of it.", instead: "Correct what the message says.", job: SpecChecks.valid),
    LintRule(
      "template-missing", .error, .release, "Every template that the spec names is there.",
      reason: "No release can be made of it.", instead: "Add the file below templates/, or take it out of the spec.",
      job: SpecChecks.missing),
    LintRule(
      "template-unlisted", .advice, .release, "Every file below templates/ is in the spec.",
      reason: "What the spec does not name is not in the release.", instead: "Name it in the spec, or remove it.",
      job: SpecChecks.unlisted),
    LintRule(
      "property-unused", .advice, .release, "Every property of the spec is used.",
      reason: "Operators set it and nothing happens.", instead: "Use it, or take it out of the spec.",
      job: PropertyChecks.unused),
    LintRule(
      "property-description", .advice, .release, "Every property has a description.",
      reason: "The spec is where operators look up what a property means.", instead: "Add a 'description'.",
      job: SpecChecks.described),
    LintRule(
      "link-unused", .advice, .release, "Every link that is consumed is used.",
      reason: "Operators have to provide it for nothing.", instead: "Use it, or take it out of the spec.",
      job: PropertyChecks.linkUnused),
    LintRule(
      "link-properties", .warning, .release, "A provided link shows declared properties.",
      reason: "Consumers never see a value of this one.", instead: "Declare the property, or correct its name.",
      job: PropertyChecks.provided),
    LintRule(
      "package-missing", .error, .release, "Packages that a job names are in the release.",
      reason: "No release can be made of it.", instead: "Add the package, or correct its name.",
      release: SpecChecks.packages),
  ]
}

private enum SpecChecks {
  static func valid(_ job: LintedJob) -> [LintPlace] {
    if let error = job.specError {
      let prefix = "\(job.specSource.path): "
      return [job.specSource.place(error.hasPrefix(prefix) ? String(error.dropFirst(prefix.count)) : error)]
    }
    guard let spec = job.spec, spec.name != job.name else { return [] }
    return [
      job.specSource.place(
        "name is '\(spec.name)', but the \(job.kind.rawValue)'s folder is '\(job.name)'",
        line: job.specSource.line(ofKey: "name"))
    ]
  }

  static func missing(_ job: LintedJob) -> [LintPlace] {
    job.missingTemplates.map {
      job.specSource.place("there is no file templates/\($0)", line: job.specSource.line(ofKey: $0))
    }
  }

  static func unlisted(_ job: LintedJob) -> [LintPlace] {
    guard job.spec != nil else { return [] }
    return job.unlistedTemplates.filter { !ShellCommand.base($0).hasPrefix(".") && !$0.hasSuffix(".md") }.map {
      job.specSource.place("templates/\($0) is not in the spec")
    }
  }

  static func described(_ job: LintedJob) -> [LintPlace] {
    (job.spec?.properties ?? []).filter { $0.description.allSatisfy(\.isWhitespace) }.map { property in
      job.specSource.place(
        "the property '\(property.name)' has no description", line: job.specSource.line(ofKey: property.name))
    }
  }

  static func packages(_ release: LintedRelease) -> [LintPlace] {
    release.jobs.flatMap { job in
      (job.spec?.packages ?? []).filter { name in !release.packages.contains { $0.name == name } }.map { name in
        job.specSource.place("there is no package '\(name)'", line: job.specSource.line(of: name))
      }
    }
  }
}
