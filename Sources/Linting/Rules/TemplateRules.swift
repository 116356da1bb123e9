extension LintRule {
  static let templateRules: [LintRule] = [
    LintRule(
      "erb-in-control-scripts", .warning, .templates, "Control scripts have no ERB.",
      reason:
        "Such a script can neither be run nor checked before it is deployed, and a value with a quote or a blank in "
        + "it changes what it does.",
      instead: "Put the value into a configuration file of its own below config/, and read that.",
      job: TemplateChecks.values),
    LintRule(
      "erb-control-flow", .warning, .templates, "What a control script does is not decided by ERB.",
      reason:
        "Starting and stopping should be simple and the same everywhere; every property doubles the scripts there are.",
      instead: "Decide in the shell, by a value in a configuration file.", job: TemplateChecks.flow),
    LintRule(
      "erb-in-monit", .warning, .templates, "The monit file has no ERB.",
      reason: "Which services there are should be known without rendering, and a mistake stops the whole job.",
      instead: "Write the values down, or give each variant a job of its own.", job: TemplateChecks.monit),
    LintRule(
      "erb-complex", .advice, .templates, "Templates are simple.",
      reason: "Ruby in templates has no tests, and fails when an operator deploys.",
      instead: "Move the work into the program that reads the file, or into several smaller templates.",
      job: TemplateChecks.complex),
    LintRule(
      "property-undeclared", .error, .templates, "Templates use only properties that the spec declares.",
      reason: "Only declared properties reach templates: this one is never there, whatever the manifest says.",
      instead: "Declare it under 'properties' in the spec, or correct its name.", job: PropertyChecks.undeclared),
    LintRule(
      "link-undeclared", .error, .templates, "Templates use only links that the spec consumes.",
      reason: "Only consumed links reach templates.", instead: "Declare it under 'consumes' in the spec.",
      job: PropertyChecks.linkUndeclared),
    LintRule(
      "link-optional", .warning, .templates, "An optional link is used only where it is there.",
      reason: "link() fails when nobody provides the link, which 'optional: true' allows.",
      instead: "Use if_link, or make the link required.", job: PropertyChecks.linkOptional),
  ]
}

private enum TemplateChecks {
  static func values(_ job: LintedJob) -> [LintPlace] {
    job.controlScripts.compactMap { template in
      let tags = template.erb.tags.filter { $0.kind == .output }
      guard let first = tags.first else { return nil }
      let code = first.code.split(whereSeparator: \.isWhitespace).joined(separator: " ")
      return template.place(
        "puts in \(tags.count) value\(tags.count == 1 ? "" : "s") by ERB, first: <%= \(code.prefix(60)) %>",
        line: first.line)
    }
  }

  static func flow(_ job: LintedJob) -> [LintPlace] {
    job.controlScripts.compactMap { template in
      let tags = template.erb.tags.filter { $0.kind == .code }
      guard let first = tags.first else { return nil }
      return template.place("has \(tags.count) ERB tag\(tags.count == 1 ? "" : "s") with code", line: first.line)
    }
  }

  static func monit(_ job: LintedJob) -> [LintPlace] {
    guard let first = job.monitERB.tags.first else { return [] }
    return [job.monitPlace("has \(job.monitERB.tags.count) ERB tags", line: first.line)]
  }

  static func complex(_ job: LintedJob) -> [LintPlace] {
    job.templates.compactMap { template in
      let lines = template.erb.tags.filter { $0.kind == .code }.reduce(0) { count, tag in
        count + tag.code.split(whereSeparator: \.isNewline).filter { $0.contains { !$0.isWhitespace } }.count
      }
      guard lines > 40, let first = template.erb.tags.first(where: { $0.kind == .code }) else { return nil }
      return template.place("has \(lines) lines of Ruby", line: first.line)
    }
  }
}
