import Formats
import Testing

@testable import Linting

@Suite("LintExcuse") struct ExcuseTests {
  private func report(_ snippet: Snippet, _ excuses: String? = nil) throws -> LintReport {
    let known = try excuses.map { try LintExcuse.file(Array($0.utf8), name: ".drover-lint.yml") } ?? []
    return Linter(excuses: known).report(snippet.release, shellCheck: .notRun("this is a test"))
  }

  private func drain(_ text: String) -> Snippet { Snippet(["bin/drain": text], monit: "") }

  @Test("A comment on the line, or above it, excuses a finding and says why")
  func comments() throws {
    for text in [
      "#!/bin/bash\nset -e\nsleep <%= p('x', 1) %> # drover-lint: allow erb-in-control-scripts because it is short\necho 0\n",
      "#!/bin/bash\nset -e\n# drover-lint: allow erb-in-control-scripts because it is short\n# more\nsleep <%= x %>\necho 0\n",
    ] {
      let finding = try #require(report(drain(text)).findings.first { $0.rule == "erb-in-control-scripts" })
      #expect(finding.excuse == "it is short")
    }
  }

  @Test("A comment elsewhere excuses nothing, and is reported as idle")
  func elsewhere() throws {
    let report = try report(
      drain(
        "#!/bin/bash\nset -e\n# drover-lint: allow erb-in-control-scripts because x\nls\nsleep <%= x %>\necho 0\n"))
    #expect(Set(report.open.map(\.rule)) == ["erb-in-control-scripts", "excuse-unused"])
  }

  @Test("A comment at the top is for the whole file")
  func top() throws {
    let report = try report(
      drain("#!/bin/bash\n# A.\n# drover-lint: allow script-strict because every failure is looked at\nls\necho 0\n"))
    #expect(report.open.isEmpty)
    #expect(report.findings.map(\.rule) == ["script-strict"])
  }

  @Test("An excuse without a reason excuses nothing")
  func withoutReason() throws {
    let report = try report(drain("#!/bin/bash\n# drover-lint: allow script-strict\nls\necho 0\n"))
    #expect(Set(report.open.map(\.rule)) == ["script-strict", "excuse-reason"])
  }

  @Test("The file of excuses is for the files of a pattern")
  func file() throws {
    let snippet = drain("#!/bin/bash\nls\necho 0\n")
    let excuse = "allow:\n- rule: script-strict\n  path: PATH\n  reason: because\n"
    func open(_ path: String) throws -> [String] {
      try report(snippet, excuse.replacing("PATH", with: path)).open.map(\.rule)
    }
    #expect(try open("jobs/*/templates/**").isEmpty)
    #expect(try open("jobs/other/**") == ["excuse-unused", "script-strict"])
  }

  @Test(
    "Mistakes in the file of excuses are named",
    arguments: [
      ("allow:\n- {rule: nope, path: x, reason: y}\n", "there is no rule 'nope'"),
      ("allow:\n- {rule: monit-group, path: x}\n", "reason: missing"),
      ("allow:\n- {rule: monit-group, path: x, reason: ' '}\n", "is empty"),
      ("alow: []\n", "unknown key"), ("- a\n", "expected an object"),
    ])
  func mistakes(_ text: String, _ expected: String) {
    let error = #expect(throws: DroverError.self) {
      try LintExcuse.file(Array(text.utf8), name: ".drover-lint.yml")
    }
    #expect(error?.description.contains(expected) == true)
    #expect(error?.description.hasPrefix(".drover-lint.yml: ") == true)
  }

  @Test("Errors fail a report, warnings only when they are to")
  func passing() throws {
    let warned = try report(drain("#!/bin/bash\nls\necho 0\n"))
    #expect(warned.passes(strict: false) && !warned.passes(strict: true))
    let failed = try report(drain("#!/bin/bash\nset -e\nls\n"))
    #expect(!failed.passes(strict: false))
    #expect(failed.value["errors"]?.int == 1)
    #expect(failed.text.contains("jobs/web/templates/bin_drain:1: error: nothing in it prints a number [drain-number]"))
  }
}
