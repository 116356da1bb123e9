import Formats

/// What go-yaml takes a scalar for: the rules that bpm.yml files are written by (reference/bpm.md 3). Plain scalars are
/// YAML 1.2's, with the octal numbers of 1.1, and its yes and no where a flag is wanted.
enum YAMLTyping {
  struct Integer: Equatable {
    var isNegative: Bool
    var magnitude: UInt64
  }

  /// The text of a scalar that shall be a string; nil when its tag says that it is something that has no text.
  static func string(_ scalar: YAMLNode.Scalar) -> String? {
    guard let tag = scalar.tag, tag.hasSuffix("binary") else { return scalar.text }
    let compact = scalar.text.utf8.filter { $0 > 0x20 }
    return Base64.decode(String(decoding: compact, as: UTF8.self)).flatMap { String(validating: $0, as: UTF8.self) }
  }

  private static let yes: Set<String> = ["true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"]
  private static let no: Set<String> = ["false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"]

  /// In quotes, too, yes and no are flags, but `true` and `false` are not.
  static func bool(_ scalar: YAMLNode.Scalar) -> Bool? {
    let isWord = ["true", "false"].contains(scalar.text.lowercased())
    if isWord, !(scalar.isPlain && scalar.tag == nil), scalar.tag != "tag:yaml.org,2002:bool" { return nil }
    if yes.contains(scalar.text) { return true }
    return no.contains(scalar.text) ? false : nil
  }

  private static func isNumber(_ scalar: YAMLNode.Scalar) -> Bool {
    switch scalar.tag {
    case nil: scalar.isPlain
    case "tag:yaml.org,2002:int", "tag:yaml.org,2002:float": true
    default: false
    }
  }

  static func integer(_ scalar: YAMLNode.Scalar) -> Integer? { isNumber(scalar) ? integer(scalar.text) : nil }

  static func integer(_ text: String) -> Integer? {
    var digits = text.filter { $0 != "_" }[...]
    let isNegative = digits.hasPrefix("-")
    if isNegative || digits.hasPrefix("+") { digits = digits.dropFirst() }
    guard let first = digits.first, first.isASCII, first.isNumber else { return nil }
    let lower = digits.lowercased()
    let magnitude: UInt64? =
      if lower.hasPrefix("0x") { UInt64(unsigned: lower.dropFirst(2), radix: 16) } else if lower.hasPrefix("0b") {
        UInt64(unsigned: lower.dropFirst(2), radix: 2)
      } else if lower.hasPrefix("0o") {
        UInt64(unsigned: lower.dropFirst(2), radix: 8)
      } else if lower.count > 1,
        lower.hasPrefix("0")
      { UInt64(unsigned: lower.dropFirst(), radix: 8) } else { UInt64(unsigned: lower[...], radix: 10) }
    return magnitude.map { Integer(isNegative: isNegative && $0 > 0, magnitude: $0) }
  }

  /// A number that is written with a dot or an exponent, or is too large for an integer.
  static func float(_ scalar: YAMLNode.Scalar) -> Double? {
    guard isNumber(scalar), integer(scalar.text) == nil else { return nil }
    let text = scalar.text.filter { $0 != "_" }
    guard let first = text.utf8.first, "+-.0123456789".utf8.contains(first),
      text.utf8.allSatisfy({ "+-.eE0123456789".utf8.contains($0) })
    else { return nil }
    return Double(text)
  }

  static func double(_ scalar: YAMLNode.Scalar) -> Double? {
    if let number = integer(scalar) { return number.isNegative ? -Double(number.magnitude) : Double(number.magnitude) }
    return float(scalar)
  }

  /// A value as error messages show it: its tag and, for scalars, the beginning of its text.
  static func description(_ node: YAMLNode) -> String {
    switch node.content {
    case .mapping: return "!!map"
    case .sequence: return "!!seq"
    case .scalar(let scalar):
      let characters = Array(scalar.text)
      let text = characters.count > 10 ? String(characters.prefix(7)) + "..." : scalar.text
      return "\(tag(scalar)) `\(text)`"
    }
  }

  private static func tag(_ scalar: YAMLNode.Scalar) -> String {
    if let tag = scalar.tag {
      let prefix = "tag:yaml.org,2002:"
      return tag.hasPrefix(prefix) ? "!!" + tag.dropFirst(prefix.count) : tag
    }
    guard scalar.isPlain else { return "!!str" }
    if integer(scalar) != nil { return "!!int" }
    if float(scalar) != nil { return "!!float" }
    return ["true", "True", "TRUE", "false", "False", "FALSE"].contains(scalar.text) ? "!!bool" : "!!str"
  }
}

extension UInt64 {
  /// Digits only: no sign.
  fileprivate init?(unsigned digits: Substring, radix: Int) {
    guard let first = digits.first, first != "+", first != "-" else { return nil }
    self.init(digits, radix: radix)
  }
}
