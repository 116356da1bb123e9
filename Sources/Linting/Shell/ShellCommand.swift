/// A simple command of a shell script.
struct ShellCommand: Sendable, Hashable {
  struct Redirect: Sendable, Hashable {
    /// `>`, `2>>`, `>&`, …
    let sign: String
    let target: String
    var writes: Bool { sign.contains(">") }
    var appends: Bool { sign.contains(">>") }
    /// What it is a redirection of, when it writes.
    var descriptor: Int { sign.first.flatMap { $0.wholeNumberValue } ?? (sign.contains("<") ? 0 : 1) }
    /// Standard output and standard error at once.
    var takesBoth: Bool { sign.hasPrefix("&>") || sign.hasPrefix(">&") && Int(target) == nil }
  }

  /// With quotes taken off, without assignments in front of it.
  var words: [String] = []
  var assignments: [String] = []
  var redirects: [Redirect] = []
  var line = 0
  /// What stands after it: a line's end, `;`, `&`, `&&`, `|`, `||`.
  var next = "\n"
  /// What stands before it, when that is `|`, `&&` or `||`.
  var previous = ""
  /// `while`, `until`, `if`, `elif` or `!` in front of it.
  var keyword: String?
  /// The pattern of the outermost `case` that it is under.
  var branch: [String] = []
  /// The function that it is in.
  var function: String?
  /// Inside `$(…)` or the like.
  var isInner = false

  /// The program, without its folder.
  var name: String { Self.base(words.first ?? "") }
  var arguments: ArraySlice<String> { words.dropFirst() }
  var text: String { words.joined(separator: " ") }

  /// What `exec`, `timeout`, `nohup` and the like lead to: the first word that is a program of its own.
  var program: String {
    var rest = words[...]
    while let word = rest.first {
      switch Self.base(word) {
      case "exec", "command", "nohup", "nice", "sudo", "env", "setsid", "builtin", "eval":
        rest = rest.dropFirst()
        while let option = rest.first, option.hasPrefix("-") || option.contains("=") { rest = rest.dropFirst() }
      case "timeout":
        rest = rest.dropFirst()
        while let option = rest.first, option.hasPrefix("-") || option.first?.isNumber ?? false || option.hasPrefix("$")
        {
          rest = rest.dropFirst()
        }
      default: return word
      }
    }
    return ""
  }

  var programName: String { Self.base(program) }

  func has(_ options: String...) -> Bool { arguments.contains { options.contains($0) } }

  /// Whether a bundle of short options holds the letter: `-rf` has `f`.
  func hasFlag(_ letter: Character) -> Bool {
    arguments.contains { $0.hasPrefix("-") && !$0.hasPrefix("--") && $0.contains(letter) }
  }

  static func base(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
}

/// A `while`, `until` or `for` of a shell script.
struct ShellLoop: Sendable, Hashable {
  let kind: String
  let line: Int
  var commands: [ShellCommand]
}
