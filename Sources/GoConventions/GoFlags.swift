/// A program's flags as Go's package `flag` reads them: one dash or two, `-name value` or `-name=value`, switches bare,
/// up to the first word that is no flag. Of a flag that is given twice the last one counts.
public struct GoFlags: Sendable {
  public enum Kind: Sendable, Hashable {
    case text
    /// Any whole number, also `0x1F` and `1_000`.
    case integer
    /// As in `1m30s`.
    case duration
    /// On or off, `-name` or `-name=false`.
    case flag
  }

  public struct Definition: Sendable {
    public var name: String
    public var kind: Kind
    public var initial: String
    public var help: String

    public init(_ name: String, _ kind: Kind = .text, _ initial: String = "", _ help: String) {
      self.name = name
      self.kind = kind
      self.initial = initial
      self.help = help
    }
  }

  /// Why the flags were not understood, in Go's words.
  public enum Failure: Error, Hashable {
    case helpWanted
    case wrong(String)
  }

  private var values: [String: String] = [:]
  /// What was given, not what has its initial value.
  public private(set) var given: Set<String> = []
  public private(set) var rest: [String] = []

  public init(_ arguments: [String], _ definitions: [Definition]) throws(Failure) {
    for definition in definitions { values[definition.name] = definition.initial }
    var remaining = arguments[...]
    while let argument = remaining.first {
      guard argument.count > 1, argument.hasPrefix("-") else { break }
      remaining = remaining.dropFirst()
      if argument == "--" { break }
      let body = argument.dropFirst(argument.hasPrefix("--") ? 2 : 1)
      guard let first = body.first, first != "-", first != "=" else { throw .wrong("bad flag syntax: \(argument)") }
      let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      guard let definition = definitions.first(where: { $0.name == parts[0] }) else {
        if ["h", "help"].contains(parts[0]) { throw .helpWanted }
        throw .wrong("flag provided but not defined: -\(parts[0])")
      }
      let value: String
      if parts.count == 2 {
        value = parts[1]
      } else if definition.kind == .flag {
        value = "true"
      } else {
        guard let next = remaining.popFirst() else { throw .wrong("flag needs an argument: -\(parts[0])") }
        value = next
      }
      values[definition.name] = try Self.checked(value, definition)
      given.insert(definition.name)
    }
    rest = Array(remaining)
  }

  private static func checked(_ value: String, _ definition: Definition) throws(Failure) -> String {
    func wrong(_ reason: String) -> Failure {
      .wrong("invalid value \(GoText.quoted(value)) for flag -\(definition.name): \(reason)")
    }
    switch definition.kind {
    case .text: return value
    case .integer:
      switch GoWhole(value) {
      case .number: return value
      case .outOfRange: throw wrong("value out of range")
      case .nothing: throw wrong("parse error")
      }
    case .duration:
      guard (try? GoDuration.parse(value)) != nil else { throw wrong("parse error") }
      return value
    case .flag:
      if ["1", "t", "T", "true", "TRUE", "True"].contains(value) { return "true" }
      if ["0", "f", "F", "false", "FALSE", "False"].contains(value) { return "false" }
      throw .wrong("invalid boolean value \(GoText.quoted(value)) for -\(definition.name): parse error")
    }
  }

  public func text(_ name: String) -> String { values[name] ?? "" }
  public func int(_ name: String) -> Int { GoWhole(text(name)).number ?? 0 }
  public func isOn(_ name: String) -> Bool { text(name) == "true" }
  public func duration(_ name: String) -> Duration { (try? GoDuration.parse(text(name))) ?? .zero }

  /// How the flags are used, as Go prints it.
  public static func usage(_ program: String, _ definitions: [Definition]) -> String {
    var text = "Usage of \(program):\n"
    for definition in definitions.sorted(by: { $0.name < $1.name }) {
      let kind =
        switch definition.kind {
        case .text: " string"
        case .integer: " int"
        case .duration: " duration"
        case .flag: ""
        }
      text += "  -\(definition.name)\(kind)\n    \t\(definition.help)"
      let isZero = ["", "0", "0s", "false"].contains(definition.initial)
      if !isZero {
        text += " (default \(definition.kind == .text ? GoText.quoted(definition.initial) : definition.initial))"
      }
      text += "\n"
    }
    return text
  }
}
