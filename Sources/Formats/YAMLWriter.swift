/// Writes block YAML: sequences at their key's indentation, texts of several lines as literal blocks.
struct YAMLWriter {
  private(set) var text = ""

  mutating func document(_ value: Value) {
    switch value {
    case .array(let elements) where !elements.isEmpty: sequence(elements, indent: 0)
    case .object(let object) where !object.isEmpty: mapping(object, indent: 0, isContinued: false)
    default: text += scalar(value, indent: 0) + "\n"
    }
  }

  private func blanks(_ count: Int) -> String { String(repeating: " ", count: count) }

  private mutating func sequence(_ elements: [Value], indent: Int) {
    for element in elements {
      text += blanks(indent) + "-"
      switch element {
      case .object(let object) where !object.isEmpty:
        text += " "
        mapping(object, indent: indent + 2, isContinued: true)
      case .array(let inner) where !inner.isEmpty:
        text += "\n"
        sequence(inner, indent: indent + 2)
      default: text += " " + scalar(element, indent: indent + 2) + "\n"
      }
    }
  }

  /// - Parameter isContinued: Whether the first member stands on the line that is being written.
  private mutating func mapping(_ object: ValueObject, indent: Int, isContinued: Bool) {
    var isFirst = isContinued
    for (name, value) in object {
      text += (isFirst ? "" : blanks(indent)) + Self.inline(name) + ":"
      isFirst = false
      switch value {
      case .object(let inner) where !inner.isEmpty:
        text += "\n"
        mapping(inner, indent: indent + 2, isContinued: false)
      case .array(let inner) where !inner.isEmpty:
        text += "\n"
        sequence(inner, indent: indent)
      default: text += " " + scalar(value, indent: indent + 2) + "\n"
      }
    }
  }

  private func scalar(_ value: Value, indent: Int) -> String {
    switch value {
    case .null: "null"
    case .bool(let flag): flag ? "true" : "false"
    case .int(let number): String(number)
    case .double(let number): Self.text(of: number)
    case .string(let string): Self.literal(string, indent: max(indent, 2)) ?? Self.inline(string)
    case .array: "[]"
    case .object: "{}"
    }
  }

  private static func text(of number: Double) -> String {
    if number.isNaN { return ".nan" }
    if number.isInfinite { return number < 0 ? "-.inf" : ".inf" }
    let text = "\(number)"
    guard let mark = text.firstIndex(of: "e") else { return text }
    let mantissa = text[..<mark].contains(".") ? String(text[..<mark]) : text[..<mark] + ".0"
    let exponent = text[text.index(after: mark)...]
    return "\(mantissa)e\(exponent.hasPrefix("-") ? "" : "+")\(exponent.drop { $0 == "+" })"
  }

  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.value {
    case 0x20...0x7E, 0xA0...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF:
      scalar.value != 0xFEFF && scalar.value != 0x2028 && scalar.value != 0x2029
    default: false
    }
  }

  /// A literal block; nil when the text is of one line or would not survive it.
  private static func literal(_ string: String, indent: Int) -> String? {
    let scalars = string.unicodeScalars
    guard scalars.dropLast().contains("\n"), scalars.allSatisfy({ $0 == "\n" || $0 == "\t" || isPrintable($0) }),
      let first = scalars.first, first != " ", first != "\n", first != "\t"
    else { return nil }
    var lines = string.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
    let endsWithLineFeed = lines.last == ""
    if endsWithLineFeed { lines.removeLast() }
    guard let last = lines.last, !last.isEmpty, lines.allSatisfy({ $0.isEmpty || $0.contains { $0 != " " } }) else {
      return nil
    }
    let margin = String(repeating: " ", count: indent)
    return "|" + (endsWithLineFeed ? "" : "-") + "\n"
      + lines.map { $0.isEmpty ? "" : margin + $0 }.joined(separator: "\n")
  }

  /// A string on one line: as it is where nothing can mistake it, else in double quotes.
  static func inline(_ string: String) -> String {
    isSafe(string) ? string : quoted(string)
  }

  /// Words that YAML 1.1 readers other than Ruby's take for booleans.
  private static let ambiguous: Set<String> = ["y", "n", "Y", "N", "=", "<<", "-", "---", "..."]

  private static func isSafe(_ string: String) -> Bool {
    guard let first = string.utf8.first, let last = string.utf8.last, last != 0x20, last != UInt8(ascii: ":"),
      isLetter(first) || first == UInt8(ascii: "/") || first == UInt8(ascii: "_") || isNumberLike(first),
      !ambiguous.contains(string), case .string = YAMLScalar.plain(string)
    else { return false }
    var previous: UInt8 = 0
    for byte in string.utf8 {
      guard isLetter(byte) || isNumberLike(byte) || "/_-+.,:;@%=()$^~ ".utf8.contains(byte) else { return false }
      if previous == UInt8(ascii: ":"), byte == 0x20 { return false }
      previous = byte
    }
    // What begins like a number or a date is quoted: readers disagree about those.
    return !isNumberLike(first) || isHexWithLetters(string)
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  private static func isNumberLike(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  /// Digests and UUIDs, which no reader takes for a number: more than 20 characters with a letter that is not `e`.
  private static func isHexWithLetters(_ string: String) -> Bool {
    string.utf8.count > 20 && string.utf8.contains { isLetter($0) && $0 | 0x20 != UInt8(ascii: "e") }
      && !string.utf8.starts(with: "0x".utf8) && !string.utf8.contains(0x20) && !string.utf8.contains(UInt8(ascii: ":"))
  }

  private static func quoted(_ string: String) -> String {
    var text = "\""
    for scalar in string.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\t": text += "\\t"
      case "\r": text += "\\r"
      default:
        if isPrintable(scalar) {
          text.unicodeScalars.append(scalar)
        } else {
          let hex = String(scalar.value, radix: 16, uppercase: true)
          let width = scalar.value <= 0xFF ? 2 : scalar.value <= 0xFFFF ? 4 : 8
          let mark = width == 2 ? "x" : width == 4 ? "u" : "U"
          text += "\\\(mark)" + String(repeating: "0", count: width - hex.count) + hex
        }
      }
    }
    return text + "\""
  }
}
