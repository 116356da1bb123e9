import Files
import Formats
import Glibc
import Processes
import ReleaseFiles
import TestSupport
import Testing

@testable import Linting

@Suite struct ReleaseLintTests {
  private let path = "/usr/local/bin:/usr/bin:/bin"
  private var hasShellCheck: Bool { access("/usr/bin/shellcheck", X_OK) == 0 }

  private func folder(_ path: String) throws {
    try Files.makeFolder("\(path)/config")
    try writeTestFile("\(path)/config/final.yml", "name: fixture\n")
  }

  @Test("The exemplar job has no findings at all, as a folder and as a tarball, with ShellCheck if it is installed")
  func exemplar() async throws {
    try await withTemporaryFolder { folder in
      try self.folder(folder)
      try JobFiles.exemplar("web-app").write(into: folder)
      let report = try await ReleaseLint.report(folder, searchPath: path)
      #expect(report.findings.map(\.text) == [])
      #expect(report.jobs == 1)
      #expect(report.notes.isEmpty == hasShellCheck)
      let release = try ReleaseFolder(folder)
      _ = try await release.create(.init(force: true, tarball: "\(folder)/release.tgz"), entryID: "1")
      let packed = try await ReleaseLint.report("\(folder)/release.tgz", searchPath: path)
      #expect(packed.findings.map(\.text) == [])
      #expect(packed.jobs == 1)
    }
  }

  @Test("The skeleton is what bosh makes: nothing to find, and nothing to run")
  func skeleton() async throws {
    try await withTemporaryFolder { folder in
      try self.folder(folder)
      let written = try JobFiles.skeleton("web").write(into: folder)
      #expect(written == ["jobs/web/spec", "jobs/web/monit"])
      #expect(try Files.exists("\(folder)/jobs/web/templates"))
      #expect(try await ReleaseLint.report(folder, searchPath: path).findings.isEmpty)
      #expect(throws: DroverError.self) { try JobFiles.skeleton("web").write(into: folder) }
      #expect(throws: DroverError.self) { try JobFiles.skeleton("../web") }
      #expect(throws: DroverError.self) { try JobFiles.skeleton("web").write(into: "\(folder)/config") }
    }
  }

  @Test("A new errand has no findings, as a folder and as a tarball, and its script is looked at as a job's is")
  func errand() async throws {
    try await withTemporaryFolder { folder in
      try self.folder(folder)
      let written = try JobFiles.errand("smoke_test").write(into: folder)
      #expect(written == ["errands/smoke_test/spec", "errands/smoke_test/templates/execute"])
      #expect(throws: DroverError.self) { try JobFiles.skeleton("smoke_test").write(into: folder) }
      #expect(throws: DroverError.self) { try JobFiles.errand("a/b") }
      _ = try await ReleaseFolder(folder).create(.init(tarball: "\(folder)/release.tgz"), entryID: "1")
      for path in [folder, "\(folder)/release.tgz"] {
        let report = try await ReleaseLint.report(path, searchPath: self.path)
        #expect(report.findings.map(\.text) == [])
        #expect(report.jobs == 0 && report.errands == 1)
      }
      try writeTestFile("\(folder)/errands/smoke_test/templates/execute", "echo a\necho b\n")
      let report = try await ReleaseLint.report(folder, searchPath: path)
      #expect(
        report.open.map { "\($0.file) \($0.rule)" }.contains("errands/smoke_test/templates/execute script-shebang"))
    }
  }

  @Test("ShellCheck runs on templates with ERB and on packaging scripts, and can be excused by number")
  func shellCheck() async throws {
    guard hasShellCheck else {
      print("skipped: shellcheck is not installed")
      return
    }
    try await withTemporaryFolder { folder in
      try self.folder(folder)
      try Files.makeFolder("\(folder)/jobs/web/templates")
      try Files.makeFolder("\(folder)/packages/web")
      try writeTestFile("\(folder)/jobs/web/monit", "")
      try writeTestFile("\(folder)/jobs/web/spec", "name: web\ntemplates:\n  run.erb: bin/run\n")
      try writeTestFile(
        "\(folder)/jobs/web/templates/run.erb",
        "#!/bin/bash\nset -e\n<% if spec.bootstrap -%>\nrm $1\n<% end -%>\n[ <%= spec.index %> = 0 ] || exit 1\n")
      try writeTestFile("\(folder)/packages/web/packaging", "set -e\ncp a ${BOSH_INSTALL_TARGET}\n")
      let report = try await ReleaseLint.report(folder, searchPath: path)
      let found = report.open.filter { $0.rule.hasPrefix("shellcheck/") }.map { "\($0.file):\($0.line) \($0.rule)" }
      #expect(
        found == ["jobs/web/templates/run.erb:4 shellcheck/SC2086", "packages/web/packaging:2 shellcheck/SC2086"])
      try writeTestFile(
        "\(folder)/.drover-lint.yml", "allow:\n- {rule: SC2086, path: 'packages/**', reason: no blanks in it}\n")
      let excused = try await ReleaseLint.report(folder, searchPath: path)
      #expect(excused.open.filter { $0.rule.hasPrefix("shellcheck/") }.map(\.file) == ["jobs/web/templates/run.erb"])
    }
  }

  @Test("Without ShellCheck everything else is looked at, and one line says so")
  func withoutShellCheck() async throws {
    try await withTemporaryFolder { folder in
      try self.folder(folder)
      try JobFiles.exemplar("web").write(into: folder)
      let report = try await ReleaseLint.report(folder, searchPath: folder)
      #expect(report.findings.isEmpty)
      #expect(report.notes == ["ShellCheck was not run: it is not installed; Debian's package is 'shellcheck'"])
    }
  }

  @Test("What is no release is refused")
  func noRelease() async throws {
    try await withTemporaryFolder { folder in
      for path in [folder, "\(folder)/nothing"] {
        await #expect(throws: DroverError.self) { try await ReleaseLint.report(path, searchPath: path) }
      }
    }
  }

  @Test("The release of the example has no findings that are not excused")
  func example() async throws {
    let folder = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined() + "/examples/redis-release"
    let report = try await ReleaseLint.report(folder, searchPath: path)
    #expect(report.open.map(\.text) == [])
    #expect(report.jobs == 2)
  }

  @Test("docs/lint.md has the rules as they are")
  func document() throws {
    let root = #filePath.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
    let page = try String(decoding: Files.read("\(root)/docs/lint.md"), as: UTF8.self)
    let start = try #require(page.firstRange(of: "<!-- rules -->\n"))
    let end = try #require(page.firstRange(of: "\n<!-- end of rules -->"))
    if getenv("DROVER_UPDATE_DOCS") != nil {
      let updated = page[..<start.upperBound] + RuleDocument.markdown + page[end.lowerBound...]
      try Files.replace("\(root)/docs/lint.md", with: Array(updated.utf8), mode: 0o644)
    } else {
      let written = page[start.upperBound..<max(start.upperBound, end.lowerBound)]
      #expect(written == RuleDocument.markdown, "run this test with DROVER_UPDATE_DOCS=1")
    }
  }
}
