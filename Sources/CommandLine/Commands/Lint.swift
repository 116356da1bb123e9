import ArgumentParser
import Formats
import Linting

struct Lint: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lint", abstract: "Check a release against the advice for release authors.",
    discussion: """
      RELEASE is a release folder or a release tarball. Every finding has its file and line, a severity (error, \
      warning, advice), why it is bad, and what to do instead. What ShellCheck finds in shell scripts is among them, \
      if it is installed.

      A finding is excused by a comment on its line or above it, or for a whole file in the comment that the file \
      begins with:

        # drover-lint: allow RULE because REASON

      or by the file .drover-lint.yml in the release's folder:

        allow:
        - rule: erb-in-control-scripts
          path: jobs/smoke-tests/**
          reason: It runs once, and nothing waits for it.

      The exit code is 1 when there are errors, with --strict also when there are warnings. docs/lint.md has all rules.
      """)
  @Argument(help: "A release folder, or a release tarball.") var release = "."
  @Flag(help: "List all rules.") var rules = false
  @Flag(help: "Warnings count as errors for the exit code.") var strict = false
  @Option(help: "The file of excuses, instead of .drover-lint.yml in the release's folder.") var config: String?
  @Flag(help: "Print JSON, with what is excused.") var json = false

  func run() async throws {
    if rules {
      if json { Console.printJSON(RuleDocument.value) } else { Console.print(RuleDocument.text) }
      return
    }
    let report = try await ReleaseLint.report(
      absolutePath(release), excuses: config.map(absolutePath),
      searchPath: GlobalOptions.variables["PATH"] ?? "/usr/local/bin:/usr/bin:/bin")
    if json { Console.printJSON(report.value) } else { Console.print(report.text) }
    guard report.passes(strict: strict) else { throw ExitCode(1) }
  }
}
