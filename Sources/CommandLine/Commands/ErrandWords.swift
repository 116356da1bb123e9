/// How `run-errand` may be written: as the proposal of errands spells it, and with arguments of the script that stand
/// without `--` before them.
enum ErrandWords {
  /// Flags of the command that have a value.
  static let withValue: Set<String> = [
    "-e", "--environment", "--ca-cert", "--client", "--client-secret", "-d", "--deployment", "--state", "--instance",
    "-E", "--env", "--secret-env", "--timeout", "--on-interrupt", "--instances", "--parallel",
    "--output-limit", "--lease",
  ]
  /// Commands that end with the exit code of a script.
  static let endsLikeScript: Set<String> = ["run-errand", "attach", "run-schedule"]

  static let alone: Set<String> = [
    "-n", "--non-interactive", "--json", "--keep-alive", "--when-changed", "--detach", "--attach", "--queue",
    "--mask-arguments", "--fail-fast", "-h", "--help", "--version",
  ]

  /// The arguments as the parser reads them: `run errand NAME` as `run-errand NAME`; `-e KEY=VALUE` as `--env KEY=VALUE`;
  /// and what stands behind the errand's name and is no flag of the command, behind `--`.
  static func plain(_ arguments: [String]) -> [String] {
    var arguments = arguments
    if arguments.prefix(2) == ["run", "errand"] { arguments.replaceSubrange(0..<2, with: ["run-errand"]) }
    guard arguments.first == "run-errand" else { return arguments }
    var flags: [String] = []
    var name: [String] = []
    var script: [String] = []
    var rest = arguments.dropFirst()
    while let word = rest.popFirst() {
      if word == "--" {
        script += rest
        break
      }
      if withValue.contains(word), let value = rest.popFirst() {
        flags += [word == "-e" && isAssignment(value) ? "--env" : word, value]
      } else if word.hasPrefix("-e="), isAssignment(String(word.dropFirst(3))) {
        flags += ["--env", String(word.dropFirst(3))]
      } else if alone.contains(word) || withValue.contains(where: { word.hasPrefix("\($0)=") }) {
        flags.append(word)
      } else if name.isEmpty, !word.hasPrefix("-") {
        name = [word]
      } else if name.isEmpty {
        // No flag that is known, before the name: the parser says so.
        flags.append(word)
      } else {
        script.append(word)
      }
    }
    return ["run-errand"] + flags + name + (script.isEmpty ? [] : ["--"] + script)
  }

  /// The words of `run-errand` before `--`, and the script's arguments behind it, of which there may be 100,000: the parser
  /// takes minutes for so many. All words of other commands.
  static func apart(_ plain: [String]) -> (own: [String], script: [String]) {
    guard plain.first == "run-errand", let end = plain.firstIndex(of: "--") else { return (plain, []) }
    return (Array(plain[..<end]), Array(plain[(end + 1)...]))
  }

  /// `KEY=VALUE` for a variable; the name or address of a director never looks so.
  private static func isAssignment(_ text: String) -> Bool {
    guard let end = text.firstIndex(of: "="), end > text.startIndex, !text[..<end].contains("://") else { return false }
    return text[..<end].utf8.allSatisfy { $0 == 95 || 48...57 ~= $0 || 65...90 ~= $0 || 97...122 ~= $0 }
  }
}
