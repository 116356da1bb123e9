internal import Releases

/// A template of a job: its source, and what can be seen of what it becomes.
struct LintedTemplate: Sendable {
  let source: SourceText
  /// Below the job's folder on the VM.
  let destination: String
  let erb: ERBText
  /// As it looks when every value is some word.
  let masked: String
  /// Nil for what is no shell script.
  let script: ShellScript?
  /// The first line that is not empty, when it begins with `#!`.
  let shebang: String?

  private static let shells: Set<String> = ["sh", "bash", "dash", "ksh"]

  init(source: SourceText, destination: String) {
    self.source = source
    self.destination = destination
    erb = ERBText(source.text)
    masked = erb.masked()
    let first = masked.split(whereSeparator: \.isNewline).first { line in line.contains { !$0.isWhitespace } }
    shebang = first.flatMap { $0.hasPrefix("#!") ? String($0) : nil }
    let isShell = shebang.map(Self.isShell) ?? (Self.isProgram(destination) && !destination.contains("."))
    script = isShell ? ShellScript(masked) : nil
  }

  private static func isShell(_ shebang: String) -> Bool {
    shebang.dropFirst(2).split { $0 == " " || $0 == "/" }.contains { shells.contains(String($0)) }
  }

  /// `pre-start` for `bin/pre-start`; nil for what is not right below `bin/`.
  var programName: String? {
    let parts = destination.split(separator: "/")
    return parts.count == 2 && parts[0] == "bin" ? String(parts[1]) : nil
  }

  var isScript: Bool { Self.isProgram(destination) && script != nil }

  private static func isProgram(_ destination: String) -> Bool {
    destination.hasPrefix("bin/") || destination == JobKind.errand.script
  }

  func place(_ message: String, line: Int = 1) -> LintPlace { source.place(message, line: line) }
}
