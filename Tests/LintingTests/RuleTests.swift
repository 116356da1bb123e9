import Linting
import Testing

/// A rule with a release that breaks it and one that does not.
struct RuleCase: Sendable, CustomTestStringConvertible {
  let rule: String
  let bad: Snippet
  let good: Snippet
  /// Where the finding is to be.
  let place: String?

  init(_ rule: String, bad: Snippet, good: Snippet, at place: String? = nil) {
    self.rule = rule
    self.bad = bad
    self.good = good
    self.place = place
  }

  var testDescription: String { rule }

  static let all = starting + scripts + files
}

@Suite("LintRule") struct RuleTests {
  @Test("Every rule finds what is bad, with its place, and leaves alone what is good", arguments: RuleCase.all)
  func table(_ example: RuleCase) {
    let found = example.bad.findings(example.rule)
    #expect(!found.isEmpty, "\(example.rule) finds nothing in the bad example")
    if let place = example.place { #expect(found.contains { "\($0.file):\($0.line)" == place }, "\(found)") }
    #expect(example.good.findings(example.rule).isEmpty)
  }

  @Test("Every rule has a bad and a good example")
  func complete() {
    // ShellCheck's rule and those about excuses have tests of their own.
    let apart: Set = ["shellcheck", "excuse-reason", "excuse-unused"]
    let tested = Set(RuleCase.all.map(\.rule))
    #expect(Set(RuleDocument.rules.map(\.id)).subtracting(apart).subtracting(tested).isEmpty)
    #expect(tested.subtracting(RuleDocument.rules.map(\.id)).isEmpty)
  }

  @Test("Rules have different names, and every one says why and what instead")
  func texts() {
    let ids = RuleDocument.rules.map(\.id)
    #expect(Set(ids).count == ids.count)
    for rule in RuleDocument.rules {
      #expect(!rule.advice.isEmpty && !rule.reason.isEmpty && !rule.instead.isEmpty)
    }
  }
}
