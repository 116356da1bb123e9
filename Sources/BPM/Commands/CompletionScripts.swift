/// What shells load to complete bpm's commands, flags and jobs.
enum CompletionScripts {
  static let shells = ["bash", "fish", "powershell", "zsh"]

  static func script(_ shell: String) -> String? {
    switch shell {
    case "bash": bash
    case "fish": fish
    case "powershell": powershell
    case "zsh": zsh
    default: nil
    }
  }

  /// How to load it.
  static func help(_ shell: String) -> String {
    let how =
      switch shell {
      case "bash":
        "\tsource <(bpm completion bash)\n\nFor every new session:\n\n\tbpm completion bash > /etc/bash_completion.d/bpm"
      case "zsh":
        "\tsource <(bpm completion zsh)\n\nFor every new session:\n\n\tbpm completion zsh > \"${fpath[1]}/_bpm\""
      case "fish":
        "\tbpm completion fish | source\n\nFor every new session:\n\n"
          + "\tbpm completion fish > ~/.config/fish/completions/bpm.fish"
      default: "\tbpm completion powershell | Out-String | Invoke-Expression"
      }
    return """
      Generate the autocompletion script for \(shell == "bash" || shell == "zsh" || shell == "fish" ? "the \(shell) shell" : shell).

      To load completions in your current shell session:

      \(how)

      """ + "\n" + UsageText.completionUsage(of: shell)
  }

  private static var names: String { CommandDefinition.all.map(\.name).joined(separator: " ") }

  /// For each command that has flags of its own: its name and its flags.
  private static var flags: [(command: String, flags: String)] {
    CommandDefinition.all.map { command in
      (command.name, (command.allFlags + [.version]).map { "--\($0.name)" }.joined(separator: " "))
    }
  }

  private static var bash: String {
    """
    # bash completion for bpm
    _bpm() {
      local word="${COMP_WORDS[COMP_CWORD]}" command="${COMP_WORDS[1]}" words=
      if [ "$COMP_CWORD" = 1 ]; then
        words="\(names)"
      elif [[ $word == -* ]]; then
        case $command in
    \(flags.map { "      \($0.command)) words=\"\($0.flags)\" ;;" }.joined(separator: "\n"))
        esac
      else
        case $command in
          completion) words="\(shells.joined(separator: " "))" ;;
          help) words="\(names)" ;;
          list|version) ;;
          *) words=$(ls "${BPM_BOSH_ROOT:-/var/vcap}"/jobs 2>/dev/null) ;;
        esac
      fi
      COMPREPLY=($(compgen -W "$words" -- "$word"))
    }
    complete -F _bpm bpm

    """
  }

  private static var zsh: String {
    """
    #compdef bpm
    # zsh completion for bpm
    _bpm() {
      local -a candidates
      if (( CURRENT == 2 )); then
        candidates=(
    \(CommandDefinition.all.map { "      '\($0.name):\($0.short)'" }.joined(separator: "\n"))
        )
        _describe command candidates
      elif [[ $words[CURRENT] == -* ]]; then
        case $words[2] in
    \(flags.map { "      \($0.command)) candidates=(\($0.flags)) ;;" }.joined(separator: "\n"))
        esac
        compadd -- $candidates
      elif [[ $words[2] == completion ]]; then
        compadd -- \(shells.joined(separator: " "))
      else
        candidates=(${BPM_BOSH_ROOT:-/var/vcap}/jobs/*(N:t))
        compadd -- $candidates
      fi
    }
    if [ "$funcstack[1]" = _bpm ]; then _bpm; else compdef _bpm bpm; fi

    """
  }

  private static var fish: String {
    let commands = CommandDefinition.all.map {
      "complete -c bpm -f -n __fish_use_subcommand -a \($0.name) -d '\($0.short)'"
    }
    let flags = CommandDefinition.all.flatMap { command in
      command.allFlags.map {
        "complete -c bpm -n '__fish_seen_subcommand_from \(command.name)' -l \($0.name)"
          + ($0.short.map { " -s \($0)" } ?? "") + " -d '\($0.usage)'"
      }
    }
    return """
      # fish completion for bpm
      \(commands.joined(separator: "\n"))
      \(flags.joined(separator: "\n"))
      complete -c bpm -f -n 'not __fish_use_subcommand' -a '(ls /var/vcap/jobs 2>/dev/null)'

      """
  }

  private static var powershell: String {
    """
    # powershell completion for bpm
    Register-ArgumentCompleter -Native -CommandName bpm -ScriptBlock {
      param($word, $ast, $position)
      $count = $ast.CommandElements.Count
      if ($count -lt 2 -or ($count -eq 2 -and $word)) {
        $candidates = '\(names)'.Split(' ')
      } else {
        $candidates = Get-ChildItem -Name /var/vcap/jobs -ErrorAction SilentlyContinue
      }
      $candidates | Where-Object { $_ -like "$word*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
      }
    }

    """
  }
}
