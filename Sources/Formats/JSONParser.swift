/// A recursive-descent JSON reader over bytes; see ``JSON``.
struct JSONParser {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws -> Value {
    let value = try value(depth: 0)
    skipBlanks()
    guard position == bytes.count else { throw error("unexpected text after the end of the document") }
    return value
  }

  private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  private func error(_ text: String, _ code: DroverError.Code = .invalid) -> DroverError {
    var line = 1
    var column = 1
    for byte in bytes.prefix(position) {
      if byte == 0x0A {
        line += 1
        column = 1
      } else {
        column += 1
      }
    }
    return DroverError(code, "JSON line \(line) column \(column): \(text)")
  }

  private func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  private mutating func skipBlanks() {
    while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
  }

  private mutating func value(depth: Int) throws -> Value {
    guard depth <= JSON.maximumDepth else {
      throw error("nested deeper than \(JSON.maximumDepth) levels", .tooLarge)
    }
    skipBlanks()
    switch current {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "t"): return try word("true", .bool(true))
    case UInt8(ascii: "f"): return try word("false", .bool(false))
    case UInt8(ascii: "n"): return try word("null", .null)
    case nil: throw error("unexpected end; expected a value")
    case .some(let byte) where byte == UInt8(ascii: "-") || isDigit(byte): return try number()
    default: throw error("expected a value")
    }
  }

  private mutating func word(_ text: String, _ value: Value) throws -> Value {
    guard bytes[position...].starts(with: text.utf8) else { throw error("expected \(text)") }
    position += text.utf8.count
    return value
  }

  private mutating func object(depth: Int) throws -> Value {
    position += 1
    var members: [(String, Value)] = []
    skipBlanks()
    if current == UInt8(ascii: "}") {
      position += 1
      return .object(ValueObject())
    }
    while true {
      skipBlanks()
      guard current == UInt8(ascii: "\"") else { throw error("expected a member name in quotes") }
      let name = try string()
      skipBlanks()
      guard current == UInt8(ascii: ":") else { throw error("expected ':' after the member name") }
      position += 1
      members.append((name, try value(depth: depth + 1)))
      skipBlanks()
      switch current {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "}"):
        position += 1
        return .object(ValueObject(members))
      default: throw error("expected ',' or '}'")
      }
    }
  }

  private mutating func array(depth: Int) throws -> Value {
    position += 1
    var elements: [Value] = []
    skipBlanks()
    if current == UInt8(ascii: "]") {
      position += 1
      return .array([])
    }
    while true {
      elements.append(try value(depth: depth + 1))
      skipBlanks()
      switch current {
      case UInt8(ascii: ","): position += 1
      case UInt8(ascii: "]"):
        position += 1
        return .array(elements)
      default: throw error("expected ',' or ']'")
      }
    }
  }

  private mutating func number() throws -> Value {
    let start = position
    var isInteger = true
    if current == UInt8(ascii: "-") { position += 1 }
    let digits = position
    try skipDigits()
    if position - digits > 1, bytes[digits] == UInt8(ascii: "0") { throw error("a number may not begin with 0") }
    if current == UInt8(ascii: ".") {
      isInteger = false
      position += 1
      try skipDigits()
    }
    if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
      isInteger = false
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try skipDigits()
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isInteger, let number = Int(text) { return .int(number) }
    guard let number = Double(text), number.isFinite else { throw error("number out of range") }
    return .double(number)
  }

  private mutating func skipDigits() throws {
    let start = position
    while let byte = current, isDigit(byte) { position += 1 }
    guard position > start else { throw error("expected a digit") }
  }

  private mutating func string() throws -> String {
    position += 1
    // Up to the first escape a text is taken as it stands, and most have none.
    let start = position
    while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
    if current == UInt8(ascii: "\"") {
      let string = bytes.withUnsafeBufferPointer { String(validating: $0[start..<position], as: UTF8.self) }
      position += 1
      guard let string else { throw error("string is not valid UTF-8") }
      return string
    }
    var text = Array(bytes[start..<position])
    while let byte = current {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else { throw error("string is not valid UTF-8") }
        return string
      case UInt8(ascii: "\\"):
        position += 1
        try escape(into: &text)
      case 0..<0x20: throw error("control character in a string; write it as an escape")
      default:
        text.append(byte)
        position += 1
      }
    }
    throw error("unexpected end inside a string")
  }

  private mutating func escape(into text: inout [UInt8]) throws {
    guard let byte = current else { throw error("unexpected end inside a string") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
    case UInt8(ascii: "b"): text.append(0x08)
    case UInt8(ascii: "f"): text.append(0x0C)
    case UInt8(ascii: "n"): text.append(0x0A)
    case UInt8(ascii: "r"): text.append(0x0D)
    case UInt8(ascii: "t"): text.append(0x09)
    case UInt8(ascii: "u"): text += Array(String(Character(try unicodeEscape())).utf8)
    default: throw error("unknown escape")
    }
  }

  /// The scalar of a `\uXXXX` escape or of a pair of them; a lone surrogate is the replacement character.
  private mutating func unicodeEscape() throws -> Unicode.Scalar {
    let first = try fourHexDigits()
    if let scalar = Unicode.Scalar(first) { return scalar }
    let rest = position
    guard (0xD800..<0xDC00).contains(first), current == UInt8(ascii: "\\") else { return "\u{FFFD}" }
    position += 1
    guard current == UInt8(ascii: "u") else {
      position = rest
      return "\u{FFFD}"
    }
    position += 1
    let second = try fourHexDigits()
    guard (0xDC00..<0xE000).contains(second),
      let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
    else {
      position = rest
      return "\u{FFFD}"
    }
    return scalar
  }

  private mutating func fourHexDigits() throws -> UInt32 {
    guard position + 4 <= bytes.count,
      let number = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
    else { throw error("expected four hexadecimal digits") }
    position += 4
    return number
  }
}
