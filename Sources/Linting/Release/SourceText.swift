/// A file of a release, as text.
public struct SourceText: Sendable, Hashable {
  /// Below the release's folder, such as `jobs/web/templates/ctl.erb`.
  public let path: String
  public let text: String
  public let lines: [Substring]

  public init(path: String, text: String) {
    self.path = path
    self.text = text
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The number of the first line that holds the text; 1 when none does.
  func line(of wanted: String) -> Int { (lines.firstIndex { $0.contains(wanted) } ?? 0) + 1 }

  /// The number of the first line that sets this key of a YAML mapping, or lists this name; 1 when none does.
  func line(ofKey key: String) -> Int {
    let found = lines.firstIndex { line in
      let trimmed = line.drop { $0 == " " || $0 == "-" || $0 == "\"" || $0 == "'" }
      guard trimmed.hasPrefix(key) else { return false }
      let after = trimmed.dropFirst(key.count).first { $0 != " " && $0 != "\"" && $0 != "'" && $0 != "\r" }
      return after == nil || after == ":" || after == "#"
    }
    return (found ?? 0) + 1
  }

  func place(_ message: String, line: Int = 1) -> LintPlace { LintPlace(file: path, line: line, message: message) }
}

/// Where a rule found something, and what.
public struct LintPlace: Sendable, Hashable {
  public let file: String
  public let line: Int
  public let message: String
  /// Only for ShellCheck, which says itself how bad it is: its own number and severity.
  var detail: String?
  var severity: LintSeverity?

  init(file: String, line: Int, message: String, detail: String? = nil, severity: LintSeverity? = nil) {
    self.file = file
    self.line = line
    self.message = message
    self.detail = detail
    self.severity = severity
  }
}

/// How bad a finding is.
public enum LintSeverity: String, Sendable, Hashable, CaseIterable {
  /// It does not work, or breaks a promise that BOSH relies on.
  case error
  /// It works until something goes wrong.
  case warning
  /// It could be better.
  case advice
}
