import Formats

/// Reads bpm's command line by the rules of the original's parser: flags before or after operands, `-pX`, `-p X`,
/// `--process X`, `--process=X`, grouped short flags, and `--` that ends flags.
struct ArgumentReader {
  /// What was asked for.
  struct Request: Sendable, Hashable {
    var command: CommandDefinition
    var operands: [String] = []
    var texts: [String: [String]] = [:]
    var flags: Set<String> = []

    func text(_ flag: String) -> String? { texts[flag]?.last }
    func has(_ flag: String) -> Bool { flags.contains(flag) }
  }

  /// Why the command line cannot be read.
  struct Mistake: Error, Hashable {
    var text: String
    /// Whose usage is shown before the text, if any.
    var usage: CommandDefinition?
  }

  static func read(_ arguments: [String]) throws(Mistake) -> Request {
    guard let index = commandIndex(arguments) else {
      var request = try parse(arguments, of: .root)
      // Nothing but flags, or operands behind `--`.
      if request.operands.isEmpty { return request }
      request.operands = []
      return request
    }
    guard let command = CommandDefinition.named(arguments[index]) else {
      throw Mistake(text: unknown(arguments[index]))
    }
    var rest = arguments
    rest.remove(at: index)
    return try parse(rest, of: command)
  }

  /// Where the command's name is: the first argument that is no flag and no flag's value. Which flags take a value is
  /// not known before the command is, so all but the root's are taken to.
  private static func commandIndex(_ arguments: [String]) -> Int? {
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      if argument == "--" { return nil }
      if argument.hasPrefix("--") {
        if !argument.contains("="), argument != "--version", argument != "--help" { index += 1 }
      } else if argument.hasPrefix("-"), argument.count > 1 {
        if argument.count == 2, argument != "-h" { index += 1 }
      } else if !argument.isEmpty {
        return index
      }
      index += 1
    }
    return nil
  }

  private static func unknown(_ name: String) -> String {
    let text = "unknown command \"\(name)\" for \"bpm\""
    let near = CommandDefinition.all.map(\.name).filter { candidate in
      candidate != "completion" && candidate != "help"
        && (distance(name.lowercased(), candidate) <= 2 || candidate.hasPrefix(name.lowercased()))
    }
    if near.isEmpty { return text }
    return text + "\n\nDid you mean this?\n" + near.map { "\t\($0)\n" }.joined()
  }

  /// How many letters have to be put in, taken out or changed.
  private static func distance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (index, letter) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for column in right.indices {
        let substituted = diagonal + (letter == right[column] ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(substituted, row[column] + 1, row[column + 1] + 1)
      }
    }
    return row[right.count]
  }

  // MARK: - Flags

  private static func parse(_ arguments: [String], of command: CommandDefinition) throws(Mistake) -> Request {
    var parser = FlagParser(command: command)
    do {
      try parser.parse(arguments)
    } catch {
      throw Mistake(text: error.text, usage: command)
    }
    return parser.request
  }

  private struct FlagParser {
    struct Failure: Error { let text: String }

    let flags: [FlagDefinition]
    var request: Request

    init(command: CommandDefinition) {
      flags = command.allFlags + [.version]
      request = Request(command: command)
    }

    mutating func parse(_ arguments: [String]) throws(Failure) {
      var rest = arguments[...]
      while let argument = rest.popFirst() {
        if argument == "--" {
          request.operands += rest
          return
        }
        if argument.hasPrefix("--") {
          try long(String(argument.dropFirst(2)), &rest)
        } else if argument.hasPrefix("-"), argument.count > 1 {
          try short(String(argument.dropFirst()), &rest)
        } else {
          request.operands.append(argument)
        }
      }
    }

    private mutating func long(_ text: String, _ rest: inout ArraySlice<String>) throws(Failure) {
      let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let first = parts[0].first, first != "-" else { throw Failure(text: "bad flag syntax: --\(text)") }
      guard let flag = flags.first(where: { $0.name == parts[0] }) else {
        throw Failure(text: "unknown flag: --\(parts[0])")
      }
      if parts.count == 2 { return try set(flag, parts[1]) }
      if flag.kind == .bool { return try set(flag, "true") }
      guard let value = rest.popFirst() else { throw Failure(text: "flag needs an argument: --\(parts[0])") }
      try set(flag, value)
    }

    private mutating func short(_ group: String, _ rest: inout ArraySlice<String>) throws(Failure) {
      var letters = group[...]
      while let letter = letters.popFirst() {
        guard let flag = flags.first(where: { $0.short == letter }) else {
          throw Failure(text: "unknown shorthand flag: '\(letter)' in -\(letter)\(letters)")
        }
        if letters.count > 1, letters.first == "=" { return try set(flag, String(letters.dropFirst())) }
        if flag.kind == .bool {
          try set(flag, "true")
          continue
        }
        if !letters.isEmpty { return try set(flag, String(letters)) }
        guard let value = rest.popFirst() else {
          throw Failure(text: "flag needs an argument: '\(letter)' in -\(letter)")
        }
        return try set(flag, value)
      }
    }

    private mutating func set(_ flag: FlagDefinition, _ value: String) throws(Failure) {
      let name = flag.short.map { "-\($0), --\(flag.name)" } ?? "--\(flag.name)"
      switch flag.kind {
      case .bool:
        if ["1", "t", "T", "TRUE", "true", "True"].contains(value) {
          request.flags.insert(flag.name)
        } else if ["0", "f", "F", "FALSE", "false", "False"].contains(value) {
          request.flags.remove(flag.name)
        } else {
          throw Failure(
            text: "invalid argument \"\(value)\" for \"\(name)\" flag: strconv.ParseBool: parsing \"\(value)\": "
              + "invalid syntax")
        }
      case .int:
        guard Int(value) != nil else {
          throw Failure(
            text: "invalid argument \"\(value)\" for \"\(name)\" flag: strconv.ParseInt: parsing \"\(value)\": "
              + "invalid syntax")
        }
        request.texts[flag.name] = [value]
      case .string: request.texts[flag.name] = [value]
      case .strings: request.texts[flag.name, default: []].append(value)
      }
    }
  }
}
