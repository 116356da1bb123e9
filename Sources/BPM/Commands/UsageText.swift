/// Help and usage, in the original's words and layout (reference/bpm.md 4).
enum UsageText {
  static func help(_ command: CommandDefinition) -> String { "\(command.long ?? command.short)\n\n" + usage(command) }

  static func usage(_ command: CommandDefinition) -> String {
    switch command.name {
    case "bpm": return rootUsage(help: true)
    case "completion": return completionUsage
    default: break
    }
    return """
      Usage:
        bpm \(command.name)\(command.operands) [flags]

      Flags:
      \(table(command.allFlags))

      Global Flags:
      \(table([.version]))

      """
  }

  static let rootHelp = "\(CommandDefinition.rootText)\n\n" + rootUsage(help: true)

  /// - Parameter help: whether `--help` is among the flags; an unknown topic of `help` shows it without.
  static func rootUsage(help: Bool) -> String {
    """
    Usage:
      bpm [flags]
      bpm [command]

    Available Commands:
    \(commands(CommandDefinition.all.map { ($0.name, $0.short) }))

    Flags:
    \(table((help ? [FlagDefinition.help("bpm")] : []) + [.version]))

    Use "bpm [command] --help" for more information about a command.

    """
  }

  private static var completionUsage: String {
    """
    Usage:
      bpm completion [command]

    Available Commands:
    \(commands(CompletionScripts.shells.map { ($0, "Generate the autocompletion script for \($0)") }))

    Flags:
    \(table([.help("completion")]))

    Global Flags:
    \(table([.version]))

    Use "bpm completion [command] --help" for more information about a command.

    """
  }

  static func completionUsage(of shell: String) -> String {
    """
    Usage:
      bpm completion \(shell)\(shell == "bash" ? "" : " [flags]")

    Flags:
    \(table([.help(shell), .init(name: "no-descriptions", short: nil, kind: .bool, usage: "disable completion descriptions")]))

    Global Flags:
    \(table([.version]))

    """
  }

  private static func commands(_ commands: [(String, String)]) -> String {
    let width = max(11, commands.map(\.0.count).max() ?? 0)
    return commands.map { name, text in
      "  \(name)\(String(repeating: " ", count: width + 1 - name.count))\(text)"
    }.joined(separator: "\n")
  }

  private static func table(_ flags: [FlagDefinition]) -> String {
    let rows = flags.map { flag in
      (
        (flag.short.map { "  -\($0), " } ?? "      ") + "--\(flag.name)"
          + (flag.typeName.isEmpty ? "" : " \(flag.typeName)"),
        flag.usage + (flag.defaultText.map { " (default \($0))" } ?? "")
      )
    }
    let width = rows.map(\.0.count).max() ?? 0
    return rows.map { left, text in
      left + String(repeating: " ", count: width + 3 - left.count) + text
    }.joined(separator: "\n")
  }
}
