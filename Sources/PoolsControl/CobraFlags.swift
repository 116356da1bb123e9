import GoConventions
import PoolsProtocol

/// Flags as programs made with Cobra read and show them: `--name value`, `--name=value`.
struct CobraFlags {
  enum Kind: String {
    case string
    case duration
    case int
  }

  struct Flag {
    var name: String
    var kind: Kind = .string
    var initial = ""
    var help: String
    var isRequired = false
  }

  /// What was not understood.
  enum Failure: Error, Hashable {
    case helpWanted
    case wrong(String)
  }

  private var values: [String: String]

  /// - Parameter arguments: without the command's name.
  init(_ arguments: [String], flags: [Flag], command: String) throws(Failure) {
    values = Dictionary(flags.map { ($0.name, $0.initial) }, uniquingKeysWith: { $1 })
    var given: Set<String> = []
    var rest = arguments[...]
    while let argument = rest.popFirst() {
      if argument == "-h" || argument == "--help" { throw .helpWanted }
      guard argument.hasPrefix("-") else {
        throw .wrong("unknown command \(GoText.quoted(argument)) for \(GoText.quoted(command))")
      }
      guard argument.hasPrefix("--") else {
        let letter = argument.dropFirst().first.map { "'\($0)'" } ?? "''"
        throw .wrong("unknown shorthand flag: \(letter) in \(argument)")
      }
      let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let name = String(parts[0])
      guard let flag = flags.first(where: { $0.name == name }) else { throw .wrong("unknown flag: --\(name)") }
      guard let value = parts.count == 2 ? String(parts[1]) : rest.popFirst() else {
        throw .wrong("flag needs an argument: --\(name)")
      }
      try Self.check(value, flag)
      values[name] = value
      given.insert(name)
    }
    let missing = flags.filter { $0.isRequired && !given.contains($0.name) }.map(\.name).sorted()
    guard missing.isEmpty else {
      throw .wrong("required flag(s) \(missing.map { "\"\($0)\"" }.joined(separator: ", ")) not set")
    }
  }

  private static func check(_ value: String, _ flag: Flag) throws(Failure) {
    let start = "invalid argument \(GoText.quoted(value)) for \"--\(flag.name)\" flag: "
    switch flag.kind {
    case .string: return
    case .int:
      guard Int(value) == nil else { return }
      throw .wrong(start + "strconv.ParseInt: parsing \(GoText.quoted(value)): invalid syntax")
    case .duration:
      do { _ = try GoDuration.parse(value) } catch { throw .wrong(start + "\(error)") }
    }
  }

  func text(_ name: String) -> String { values[name] ?? "" }
  func int(_ name: String) -> Int { Int(text(name)) ?? 0 }
  func duration(_ name: String) -> Duration { (try? GoDuration.parse(text(name))) ?? .zero }

  /// The lines that explain flags, their texts below each other.
  static func usage(_ flags: [Flag], help command: String?) -> String {
    var lines = flags.map { flag -> (String, String, String) in
      let initial =
        switch flag.kind {
        case .string: flag.initial.isEmpty ? "" : " (default \(GoText.quoted(flag.initial)))"
        case .int: flag.initial == "0" ? "" : " (default \(flag.initial))"
        case .duration:
          flag.initial == "0s" ? "" : " (default \((try? GoDuration.parse(flag.initial)).map(GoDuration.text) ?? ""))"
        }
      return (flag.name, "      --\(flag.name) \(flag.kind.rawValue)", flag.help + initial)
    }
    if let command { lines.append(("help", "  -h, --help", "help for \(command)")) }
    lines.sort { $0.0 < $1.0 }
    let width = lines.map(\.1.count).max() ?? 0
    return lines.map { line in
      line.1 + String(repeating: " ", count: width - line.1.count + 3) + line.2 + "\n"
    }.joined()
  }
}
