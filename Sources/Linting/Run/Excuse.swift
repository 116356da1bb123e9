internal import Formats

/// A rule that need not be followed somewhere, and why.
public struct LintExcuse: Sendable, Hashable {
  let rule: String
  let reason: String
  let scope: Scope
  /// Where it is written.
  let file: String
  let line: Int

  enum Scope: Sendable, Hashable {
    case lines(ClosedRange<Int>)
    case file
    case files(Glob)
  }

  func covers(_ finding: LintFinding) -> Bool {
    guard finding.rule == rule || finding.rule.split(separator: "/").contains(Substring(rule)) else { return false }
    switch scope {
    case .lines(let lines): return finding.file == file && lines.contains(finding.line)
    case .file: return finding.file == file
    case .files(let glob): return glob.matches(finding.file)
    }
  }

  private static let mark = "drover-lint: allow "

  /// The excuses in a file's comments: `drover-lint: allow RULE because REASON`, for the line it stands on or the first
  /// line below its comment; in the comment that the file begins with, for the whole file.
  static func comments(in source: SourceText) -> [LintExcuse] {
    guard source.text.contains(mark) else { return [] }
    var isHead = true
    return source.lines.enumerated().compactMap { index, line in
      defer { if !isComment(line), line.contains(where: { !$0.isWhitespace }), line != "---" { isHead = false } }
      guard let found = line.firstRange(of: mark) else { return nil }
      var rest = line[found.upperBound...]
      for end in ["-%>", "%>"] { if let close = rest.firstRange(of: end) { rest = rest[..<close.lowerBound] } }
      let words = rest.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let rule = words.first else { return nil }
      let reason = words.dropFirst().first == "because" ? words.dropFirst(2).joined(separator: " ") : ""
      let isAlone = isComment(line)
      var last = index + 1
      if isAlone {
        while last < source.lines.count, isComment(source.lines[last]) { last += 1 }
        last += 1
      }
      return LintExcuse(
        rule: rule, reason: reason, scope: isHead && isAlone ? .file : .lines((index + 1)...last), file: source.path,
        line: index + 1)
    }
  }

  private static func isComment(_ line: Substring) -> Bool {
    let trimmed = line.drop { $0 == " " || $0 == "\t" }
    return trimmed.hasPrefix("#") || trimmed.hasPrefix("<%#")
  }

  /// The excuses of a `.drover-lint.yml`: `allow:`, a list of `rule`, `path` (a pattern of files) and `reason`.
  ///
  /// - Throws: ``Formats/DroverError`` that names the file and the field.
  public static func file(_ text: [UInt8], name: String) throws -> [LintExcuse] {
    let document = try YAML.parse(text, file: name)
    guard !document.isNull else { return [] }
    do {
      let fields = try FieldReader(document)
      try fields.allowOnly(["allow"])
      return try fields.readers("allow").map { entry in
        try entry.allowOnly(["rule", "path", "reason"])
        let rule = try entry.string("rule")
        guard LintRule.named(String(rule.split(separator: "/").first ?? "")) != nil || rule.hasPrefix("SC") else {
          throw entry.error("rule", "there is no rule '\(rule)'; 'drover lint --rules' shows all")
        }
        let reason = try entry.string("reason")
        guard reason.contains(where: { !$0.isWhitespace }) else { throw entry.error("reason", "is empty") }
        return LintExcuse(
          rule: rule, reason: reason, scope: .files(try Glob(try entry.string("path"))), file: name, line: 1)
      }
    } catch let error as DroverError {
      throw DroverError(error.code, "\(name): \(error.message)", cause: error.cause)
    }
  }
}
