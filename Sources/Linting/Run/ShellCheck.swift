import Files
internal import Formats
internal import Glibc
internal import Processes

/// What ShellCheck found, if it was run.
public struct ShellCheckResult: Sendable {
  var places: [LintPlace] = []
  public var notes: [String] = []
  public var wasRun = true

  public static func notRun(_ why: String) -> ShellCheckResult {
    ShellCheckResult(places: [], notes: ["ShellCheck was not run: \(why)"], wasRun: false)
  }
}

/// Debian's `shellcheck`, run on a release's shell scripts, with ERB replaced by words.
public enum ShellCheck {
  /// What says nothing about a script whose values ERB puts in: words that are always the same, and code that is never
  /// reached since both ways of a condition stand there.
  private static let meaninglessInERB: Set<Int> = [
    2043, 2050, 2072, 2078, 2157, 2158, 2159, 2160, 2161, 2170, 2194, 2195, 2254, 2317,
  ]
  /// Other files that a script reads are not there to look at.
  private static let meaningless: Set<Int> = [1090, 1091, 2148, 2154]

  private struct Script {
    let source: SourceText
    let text: String
    let erb: ERBText
  }

  /// - Parameters:
  ///   - scratch: Absolute path of an empty folder to write scripts into.
  ///   - path: Where programs are looked for, as in `PATH`.
  public static func run(_ release: LintedRelease, scratch: String, path: String) async throws -> ShellCheckResult {
    let folders = path.split(separator: ":")
    guard
      let program = folders.map({ folder -> String in "\(folder)/shellcheck" }).first(where: { access($0, X_OK) == 0 })
    else {
      return .notRun("it is not installed; Debian's package is 'shellcheck'")
    }
    let templates = release.jobs.flatMap { job in
      job.templates.filter { $0.shebang != nil && $0.script != nil }.map {
        Script(source: $0.source, text: $0.masked, erb: $0.erb)
      }
    }
    let packagings = release.packages.compactMap(\.packaging).map {
      Script(source: $0, text: $0.text, erb: ERBText(""))
    }
    var result = ShellCheckResult()
    result.places += try await check(templates, [program], scratch: "\(scratch)/templates")
    result.places += try await check(packagings, [program, "--shell=bash"], scratch: "\(scratch)/packages")
    return result
  }

  private static func check(_ scripts: [Script], _ command: [String], scratch: String) async throws -> [LintPlace] {
    guard !scripts.isEmpty else { return [] }
    try Files.makeFolder(scratch)
    for (index, script) in scripts.enumerated() {
      _ = try Files.create("\(scratch)/\(index)", with: Array(leadingScript(script.text).utf8))
    }
    var places: [LintPlace] = []
    var start = 0
    while start < scripts.count {
      let batch = Array(start..<min(start + 100, scripts.count))
      start += batch.count
      var shellcheck = Command(command + ["--norc", "--format=json1"] + batch.map(String.init))
      shellcheck.directory = scratch
      shellcheck.timeout = .seconds(300)
      let result = try await shellcheck.result()
      guard [.exited(0), .exited(1)].contains(result.ending) else {
        throw DroverError(.failed, "\(command[0]): \(result.ending): \(result.lastErrorLines())")
      }
      let document = try JSON.parse(result.output)
      places += (document["comments"]?.array ?? []).compactMap { place($0, scripts) }
    }
    return places
  }

  /// ERB may stand in front of the first line; then that line is empty, and ShellCheck does not see the shell.
  private static func leadingScript(_ text: String) -> String {
    guard let first = text.first, first.isNewline,
      let shebang = text.split(whereSeparator: \.isNewline).first, shebang.hasPrefix("#!")
    else { return text }
    return shebang + text
  }

  private static func place(_ comment: Value, _ scripts: [Script]) -> LintPlace? {
    guard let index = comment["file"]?.string.flatMap(Int.init), scripts.indices.contains(index),
      let code = comment["code"]?.int, let line = comment["line"]?.int, let message = comment["message"]?.string,
      !meaningless.contains(code)
    else { return nil }
    let script = scripts[index]
    if !script.erb.isPlain, meaninglessInERB.contains(code) || (1000..<2000).contains(code) && script.erb.hasCode {
      return nil
    }
    let severity: LintSeverity =
      switch comment["level"]?.string {
      case "error": .error
      case "warning": .warning
      default: .advice
      }
    return LintPlace(
      file: script.source.path, line: line, message: message, detail: "SC\(code)", severity: severity)
  }
}
