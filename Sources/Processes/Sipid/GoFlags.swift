import Formats

/// A command line as programs written in Go take it: `-name value`, `--name=value`, up to the first word that is no flag
/// (the rules and texts of Go's package `flag`).
struct GoFlags: Sendable {
  enum Kind: Sendable, Hashable {
    /// Any whole number, also `0x1F` and `1_000`.
    case int
    case string
    case bool
    /// As in `1m30s`.
    case duration
  }

  struct Flag: Sendable {
    let name: String
    let kind: Kind
    let help: String
    /// As the list of flags shows it; empty when there is nothing to show.
    var standard = ""
  }

  /// What is wrong with the words; `help` when they ask for the list of flags.
  enum Failure: Error, Equatable {
    case help
    case wrong(String)
  }

  let flags: [Flag]

  /// - Returns: the text of each flag that is given; of one that is given twice the last counts.
  func parse(_ words: [String]) throws(Failure) -> [String: String] {
    var found: [String: String] = [:]
    var rest = words[...]
    while let word = rest.first, word.hasPrefix("-"), word != "-" {
      rest.removeFirst()
      if word == "--" { break }
      let body = word.dropFirst(word.hasPrefix("--") ? 2 : 1)
      guard let first = body.first, first != "-", first != "=" else { throw .wrong("bad flag syntax: \(word)") }
      let name = String(body.prefix { $0 != "=" })
      var value = name.endIndex < body.endIndex ? String(body.dropFirst(name.count + 1)) : nil
      if body.count == name.count { value = nil }
      guard let flag = flags.first(where: { $0.name == name }) else {
        if name == "help" || name == "h" { throw .help }
        throw .wrong("flag provided but not defined: -\(name)")
      }
      if flag.kind == .bool { value = value ?? "true" }
      if value == nil { value = rest.popFirst() }
      guard let value else { throw .wrong("flag needs an argument: -\(name)") }
      if let reason = Self.refusal(value, flag.kind) {
        let what = flag.kind == .bool ? "invalid boolean value" : "invalid value"
        throw .wrong("\(what) \(Self.quoted(value)) for \(flag.kind == .bool ? "" : "flag ")-\(name): \(reason)")
      }
      found[name] = value
    }
    return found
  }

  /// The flags with what they mean, sorted by name.
  func list(program: String) -> String {
    flags.sorted { $0.name < $1.name }.reduce("Usage of \(program):\n") { text, flag in
      let kind = flag.kind == .bool ? "" : " \(flag.kind)"
      let standard = flag.standard.isEmpty ? "" : " (default \(flag.standard))"
      return text + "  -\(flag.name)\(kind)\n    \t\(flag.help)\(standard)\n"
    }
  }

  private static func refusal(_ value: String, _ kind: Kind) -> String? {
    switch kind {
    case .string: nil
    case .bool: bool(value) == nil ? "parse error" : nil
    case .duration: (try? Duration(text: value)) == nil ? "parse error" : nil
    case .int:
      switch int(value) {
      case .number: nil
      case .outOfRange: "value out of range"
      case .nothing: "parse error"
      }
    }
  }

  static func bool(_ text: String) -> Bool? {
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": true
    case "0", "f", "F", "false", "FALSE", "False": false
    default: nil
    }
  }

  enum Whole: Equatable {
    case number(Int)
    case outOfRange
    case nothing
  }

  /// A whole number with a sign, in the base that its beginning names: `0x`, `0o` or `0`, `0b`, else ten. `_` may stand
  /// between digits, and after the beginning, unless the base is that of `0` alone.
  static func int(_ text: String) -> Whole {
    var digits = text[...]
    let sign = digits.first == "-" ? "-" : ""
    if digits.first == "-" || digits.first == "+" { digits.removeFirst() }
    var radix = 10
    var mayUnderscore = false
    for (prefix, base) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)]
    where digits.hasPrefix(prefix) {
      digits.removeFirst(2)
      radix = base
      mayUnderscore = true
    }
    if radix == 10, digits.count > 1, digits.first == "0" {
      digits.removeFirst()
      radix = 8
      mayUnderscore = true
    }
    var plain = ""
    for character in digits {
      if character == "_" {
        guard mayUnderscore else { return .nothing }
        mayUnderscore = false
      } else {
        guard let digit = character.hexDigitValue, character.isASCII, digit < radix else { return .nothing }
        plain.append(character)
        mayUnderscore = true
      }
    }
    guard !plain.isEmpty, digits.last != "_" else { return .nothing }
    return Int(sign + plain, radix: radix).map(Whole.number) ?? .outOfRange
  }

  private static func quoted(_ text: String) -> String { JSON.text(.string(text)) }
}
