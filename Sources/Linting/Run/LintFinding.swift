public import Formats

/// Something that a rule found.
public struct LintFinding: Sendable, Hashable {
  /// The rule's id; `shellcheck/SC2086` for what ShellCheck found.
  public let rule: String
  public let severity: LintSeverity
  /// Below the release's folder.
  public let file: String
  public let line: Int
  /// What was found.
  public let message: String
  /// Why that is bad.
  public let reason: String
  /// What to do in place of it.
  public let instead: String
  /// Why it is allowed here; nil when it is not.
  public var excuse: String?

  init(_ place: LintPlace, _ rule: LintRule, excuse: String? = nil) {
    self.rule = place.detail.map { "\(rule.id)/\($0)" } ?? rule.id
    severity = place.severity ?? rule.severity
    file = place.file
    line = place.line
    message = place.message
    reason = rule.reason
    instead = rule.instead
    self.excuse = excuse
  }

  public var value: Value {
    [
      "rule": .string(rule), "severity": .string(severity.rawValue), "file": .string(file), "line": .int(line),
      "message": .string(message), "reason": .string(reason), "instead": .string(instead), "excuse": Value(excuse),
    ]
  }

  /// Three lines: place and what, why, and what instead.
  public var text: String {
    """
    \(file):\(line): \(severity.rawValue): \(message) [\(rule)]
        why: \(reason)
        instead: \(instead)
    """
  }
}

/// What came of looking at a release.
public struct LintReport: Sendable {
  /// By file, then line.
  public let findings: [LintFinding]
  public let jobs: Int
  public let errands: Int
  public let packages: Int
  /// What people should know besides, such as that ShellCheck was not run.
  public let notes: [String]

  /// Those that nobody has excused.
  public var open: [LintFinding] { findings.filter { $0.excuse == nil } }

  public func count(_ severity: LintSeverity) -> Int { open.count { $0.severity == severity } }

  /// Whether the release is as it should be: no errors, and if wanted no warnings either.
  public func passes(strict: Bool) -> Bool { count(.error) == 0 && (!strict || count(.warning) == 0) }

  public var value: Value {
    [
      "jobs": .int(jobs), "errands": .int(errands), "packages": .int(packages), "errors": .int(count(.error)),
      "warnings": .int(count(.warning)),
      "advice": .int(count(.advice)), "excused": .int(findings.count - open.count), "notes": Value(notes),
      "findings": .array(findings.map(\.value)),
    ]
  }

  public var text: String {
    func number(_ count: Int, _ one: String, _ many: String) -> String { "\(count) \(count == 1 ? one : many)" }
    let summary =
      "\(number(jobs, "job", "jobs")), " + (errands > 0 ? "\(number(errands, "errand", "errands")), " : "")
      + "\(number(packages, "package", "packages")): "
      + "\(number(count(.error), "error", "errors")), \(number(count(.warning), "warning", "warnings")), "
      + "\(count(.advice)) advice, \(findings.count - open.count) excused"
    return (open.map(\.text) + notes.map { "note: \($0)" } + [summary]).joined(separator: "\n")
  }
}
