public import Formats

/// All rules as text: for the terminal, for programs, and for docs/lint.md.
public enum RuleDocument {
  public static var rules: [LintRule] { LintRule.all + [Linter.excuseReason, Linter.excuseUnused] }

  public static var text: String {
    LintRule.Topic.allCases.flatMap { topic in
      [topic.rawValue]
        + rules.filter { $0.topic == topic }.map { rule in
          let name = rule.id + String(repeating: " ", count: max(1, 24 - rule.id.count))
          let severity = rule.severity.rawValue
          return "  \(name)\(severity)\(String(repeating: " ", count: 9 - severity.count))\(rule.advice)"
        }
    }.joined(separator: "\n")
  }

  public static var value: Value {
    .array(
      rules.map { rule in
        [
          "id": .string(rule.id), "severity": .string(rule.severity.rawValue), "topic": .string(rule.topic.rawValue),
          "advice": .string(rule.advice), "reason": .string(rule.reason), "instead": .string(rule.instead),
        ]
      })
  }

  /// The tables of docs/lint.md, which a test compares with the page.
  public static var markdown: String {
    LintRule.Topic.allCases.map { topic in
      let rows = rules.filter { $0.topic == topic }.map { rule in
        "| `\(rule.id)` | \(rule.severity.rawValue) | \(escaped(rule.advice)) | \(escaped(rule.reason)) | "
          + "\(escaped(rule.instead)) |"
      }
      return "### \(topic.rawValue)\n\n| rule | severity | advice | why | instead |\n| --- | --- | --- | --- | --- |\n"
        + rows.joined(separator: "\n")
    }.joined(separator: "\n\n")
  }

  private static func escaped(_ text: String) -> String {
    text.map { $0 == "|" ? "\\|" : $0 == "<" ? "&lt;" : String($0) }.joined()
  }
}
