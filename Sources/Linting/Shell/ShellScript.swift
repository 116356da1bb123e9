/// What a shell script does, as far as it can be seen without running it.
struct ShellScript: Sendable {
  let commands: [ShellCommand]
  let loops: [ShellLoop]
  private let functions: Set<String>
  private let variables: [String: String]

  init(_ text: String) {
    let parsed = ShellParser(text)
    commands = parsed.commands
    loops = parsed.loops
    functions = parsed.functions
    var variables: [String: String] = [:]
    for command in parsed.commands {
      var assignments = command.assignments
      if ["export", "readonly", "local", "declare", "typeset"].contains(command.name) {
        assignments += command.arguments.filter { $0.contains("=") }
      }
      for assignment in assignments {
        let parts = assignment.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        if parts.count == 2, variables[String(parts[0])] == nil { variables[String(parts[0])] = String(parts[1]) }
      }
    }
    self.variables = variables
  }

  /// What is run for one action of a script that is a `case` of actions: what is under it, what is outside of the case,
  /// and the functions that these call. Everything, when the script knows no such action.
  func commands(for action: String?) -> [ShellCommand] {
    guard let action, commands.contains(where: { $0.branch.contains(action) }) else { return commands }
    let chosen = commands.filter { $0.branch.isEmpty || $0.branch.contains(action) }
    var called: Set<String> = []
    var open = chosen.filter { $0.function == nil }
    while let command = open.popLast() {
      for word in command.words where functions.contains(word) && called.insert(word).inserted {
        open += chosen.filter { $0.function == word }
      }
    }
    return chosen.filter { $0.function.map(called.contains) ?? true }
  }

  /// The text with variables replaced whose value can be seen in the script.
  func expanded(_ text: String) -> String { expanded(text, depth: 0) }

  private func expanded(_ text: String, depth: Int) -> String {
    guard depth < 5, text.contains("$") else { return text }
    var result = ""
    var rest = text[...]
    while let dollar = rest.firstIndex(of: "$") {
      result += rest[..<dollar]
      let after = rest[rest.index(after: dollar)...]
      var name: Substring
      var end: Substring.Index
      var fallback: String?
      if after.first == "{", let close = after.firstIndex(of: "}") {
        name = after[after.index(after: after.startIndex)..<close]
        if let colon = name.firstRange(of: ":-") {
          fallback = String(name[colon.upperBound...])
          name = name[..<colon.lowerBound]
        }
        end = after.index(after: close)
      } else {
        name = after.prefix { $0.isLetter || $0.isNumber || $0 == "_" }
        end = name.endIndex
      }
      if let value = variables[String(name)] ?? fallback, !name.isEmpty {
        result += expanded(value, depth: depth + 1)
      } else {
        result += rest[dollar..<end]
      }
      rest = after[end...]
    }
    return result + rest
  }

  /// Whether a failing command ends the script.
  var isStrict: Bool {
    commands.contains { command in
      command.name == "set" && !command.isInner
        && (command.hasFlag("e") || command.has("errexit"))
    }
  }
}

extension ShellLoop {
  /// Whether something makes it end: it counts, looks at a clock, reads input to its end, or goes through a list.
  var isBounded: Bool {
    guard kind == "while" || kind == "until" else { return true }
    return commands.contains { command in
      let words = command.words + command.assignments
      let counts = words.contains { ["-lt", "-le", "-gt", "-ge"].contains($0) || $0.hasPrefix("((") }
      return counts || command.name == "read" && command.keyword == kind || command.name == "shift"
        || words.contains { $0.contains("SECONDS") || $0.contains("$((") }
        || command.name == "timeout" && command.keyword == kind
    }
  }
}
