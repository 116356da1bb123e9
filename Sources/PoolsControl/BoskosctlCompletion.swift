import GoConventions
import PoolsProtocol

/// `boskosctl completion`: what shells load to complete its commands and flags. The original wants the flags of a server
/// for it, and then prints scripts of Cobra's.
enum BoskosctlCompletion {
  static let short = "Generate the autocompletion script for the specified shell"
  private static let shells = ["bash", "fish", "powershell", "zsh"]

  /// - Parameter arguments: behind `completion`.
  /// - Returns: what to print, and whether it is what was asked for.
  static func answer(_ arguments: [String]) -> (text: String, isGood: Bool) {
    guard let shell = arguments.first, !shell.hasPrefix("-") else { return (help, true) }
    guard arguments.count == 1 || arguments.contains("--help") || arguments.contains("-h") else {
      return ("completion \(shell) takes no more words, and found \(GoText.quoted(arguments[1]))", false)
    }
    if arguments.count > 1 { return (help, true) }
    switch shell {
    case "bash": return (bash, true)
    case "fish": return (fish, true)
    case "powershell": return (powershell, true)
    case "zsh": return (zsh, true)
    default:
      return ("there is no completion for \(GoText.quoted(shell)): one of \(shells.joined(separator: ", "))", false)
    }
  }

  private static var help: String {
    """
    \(short).

    Usage:
      boskosctl completion [command]

    Available Commands:
    \(shells.map { "  \($0)" + String(repeating: " ", count: 12 - $0.count) + "the script for \($0)" }
      .joined(separator: "\n"))

    To have it in the current shell:

      bash        source <(boskosctl completion bash)
      fish        boskosctl completion fish | source
      powershell  boskosctl completion powershell | Out-String | Invoke-Expression
      zsh         source <(boskosctl completion zsh)
    """
  }

  private static var names: String {
    (BoskosctlCommand.allCases.map(\.rawValue) + ["completion", "help"]).sorted().joined(separator: " ")
  }

  /// For each command: its name and its flags.
  private static var flags: [(command: String, flags: [CobraFlags.Flag])] {
    BoskosctlCommand.allCases.map { ($0.rawValue, $0.flags + BoskosctlCommand.globalFlags) }
  }

  private static func words(_ flags: [CobraFlags.Flag]) -> String {
    flags.map { "--\($0.name)" }.sorted().joined(separator: " ")
  }

  private static var bash: String {
    """
    # bash completion for boskosctl
    _boskosctl() {
      local word="${COMP_WORDS[COMP_CWORD]}" words="\(words(BoskosctlCommand.globalFlags))" each
      if [[ $word != -* ]]; then
        words="\(names)"
        [ "$COMP_CWORD" = 1 ] || words=
        [ "${COMP_WORDS[1]}" = completion ] && words="\(shells.joined(separator: " "))"
      else
        for each in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
          case $each in
    \(flags.map { "        \($0.command)) words=\"\(words($0.flags))\" ;;" }.joined(separator: "\n"))
          esac
        done
      fi
      COMPREPLY=($(compgen -W "$words" -- "$word"))
    }
    complete -F _boskosctl boskosctl
    """
  }

  private static var zsh: String {
    """
    #compdef boskosctl
    # zsh completion for boskosctl
    _boskosctl() {
      local -a candidates
      candidates=(\(names))
      if [[ $words[CURRENT] == -* ]]; then
        candidates=(\(words(BoskosctlCommand.globalFlags)))
        case $words[2] in
    \(flags.map { "      \($0.command)) candidates=(\(words($0.flags))) ;;" }.joined(separator: "\n"))
        esac
      elif [[ $words[2] == completion ]]; then
        candidates=(\(shells.joined(separator: " ")))
      fi
      compadd -- $candidates
    }
    if [ "$funcstack[1]" = _boskosctl ]; then _boskosctl; else compdef _boskosctl boskosctl; fi
    """
  }

  private static var fish: String {
    let commands = BoskosctlCommand.allCases.map {
      "complete -c boskosctl -f -n __fish_use_subcommand -a \($0.rawValue) -d '\($0.short)'"
    }
    let options = flags.flatMap { command, flags in
      flags.map {
        "complete -c boskosctl -f -n '__fish_seen_subcommand_from \(command)' -r -l \($0.name) -d '\($0.help)'"
      }
    }
    return "# fish completion for boskosctl\n" + (commands + options).joined(separator: "\n")
  }

  private static var powershell: String {
    """
    # powershell completion for boskosctl
    Register-ArgumentCompleter -Native -CommandName boskosctl -ScriptBlock {
      param($word, $tree, $position)
      $flags = @{
    \(flags.map { "    '\($0.command)' = '\(words($0.flags))'" }.joined(separator: "\n"))
      }
      $command = $tree.CommandElements[1].Value
      $words = if ($word -like '-*' -and $flags[$command]) { $flags[$command] } else { '\(names)' }
      $words -split ' ' | Where-Object { $_ -like "$word*" } | ForEach-Object { $_ }
    }
    """
  }
}
