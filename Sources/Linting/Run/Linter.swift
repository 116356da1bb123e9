internal import Releases

/// Looks at a release by all rules. Pure: ShellCheck's findings are given to it.
public struct Linter: Sendable {
  private let excuses: [LintExcuse]

  /// - Parameter excuses: Those of the release's `.drover-lint.yml`; those in comments are found anyway.
  public init(excuses: [LintExcuse] = []) { self.excuses = excuses }

  public func report(_ release: LintedRelease, shellCheck: ShellCheckResult) -> LintReport {
    let sources = release.sources
    let all = excuses + sources.values.flatMap(LintExcuse.comments)
    var findings = LintRule.all.flatMap { rule in
      let places = rule.id == LintRule.shellCheckID ? shellCheck.places : rule.check(release)
      return places.map { LintFinding($0, rule) }
    }
    var used: Set<LintExcuse> = []
    for index in findings.indices {
      for excuse in all where !excuse.reason.isEmpty && excuse.covers(findings[index]) {
        findings[index].excuse = excuse.reason
        used.insert(excuse)
      }
    }
    let withoutReason = all.filter { $0.reason.isEmpty }
    findings += withoutReason.map {
      LintFinding(
        LintPlace(file: $0.file, line: $0.line, message: "'\($0.rule)' is allowed without a reason"), Self.excuseReason)
    }
    let idle = all.filter { !$0.reason.isEmpty && !used.contains($0) && (shellCheck.wasRun || !$0.concernsShellCheck) }
    findings += idle.map {
      LintFinding(
        LintPlace(
          file: $0.file, line: $0.line, message: "'\($0.rule)' finds nothing here that would have to be allowed"),
        Self.excuseUnused)
    }
    var seen: Set<LintFinding> = []
    findings = findings.filter { seen.insert($0).inserted }.sorted {
      ($0.file, $0.line, $0.rule, $0.message) < ($1.file, $1.line, $1.rule, $1.message)
    }
    return LintReport(
      findings: findings, jobs: release.jobs.count { $0.kind == .job },
      errands: release.jobs.count { $0.kind == .errand }, packages: release.packages.count, notes: shellCheck.notes)
  }

  static let excuseReason = LintRule(
    "excuse-reason", .warning, .scripts, "An excuse says why.",
    reason: "Whoever reads it later has to know whether it still holds.",
    instead: "drover-lint: allow RULE because REASON", release: { _ in [] })
  static let excuseUnused = LintRule(
    "excuse-unused", .advice, .scripts, "An excuse excuses something.",
    reason: "It may have been for something that is gone, or its rule may be misspelt.", instead: "Remove it.",
    release: { _ in [] })
}

extension LintExcuse {
  var concernsShellCheck: Bool { rule.hasPrefix(LintRule.shellCheckID) || rule.hasPrefix("SC") }
}
