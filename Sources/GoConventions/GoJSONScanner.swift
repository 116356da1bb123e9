import Formats

/// Finds the first JSON value of a text, or says in the words of Go's decoder what is wrong with it.
public struct GoJSONScanner {
  private let bytes: [UInt8]
  private var place = 0

  /// Deeper nesting is refused, as by Go.
  private static let maximumDepth = 500

  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// - Returns: nil when there is nothing but space.
  public mutating func firstValue() throws -> Range<Int>? {
    skipSpace()
    guard place < bytes.count else { return nil }
    let start = place
    try value(depth: 0)
    return start..<place
  }

  /// Checks that the whole text is one value, as Go's `Unmarshal` does.
  public mutating func onlyValue() throws {
    do {
      guard try firstValue() != nil else { throw DroverError(.invalid, "unexpected EOF") }
    } catch let error as DroverError where error.message == "unexpected EOF" {
      throw DroverError(.invalid, "unexpected end of JSON input")
    }
    skipSpace()
    guard place == bytes.count else { throw invalid("after top-level value") }
  }

  private mutating func skipSpace() {
    while place < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[place]) { place += 1 }
  }

  private func byte() throws -> UInt8 {
    guard place < bytes.count else { throw DroverError(.invalid, "unexpected EOF") }
    return bytes[place]
  }

  private func invalid(_ where: String) -> DroverError {
    let byte = place < bytes.count ? bytes[place] : 0
    let shown =
      switch byte {
      case UInt8(ascii: "'"): "'\\''"
      case UInt8(ascii: "\""): "'\"'"
      default:
        "'" + GoText.quoted(String(Unicode.Scalar(byte))).dropFirst().dropLast() + "'"
      }
    return DroverError(.invalid, "invalid character \(shown) \(`where`)")
  }

  private mutating func value(depth: Int) throws {
    skipSpace()
    guard depth < Self.maximumDepth else { throw DroverError(.invalid, "exceeded max depth") }
    switch try byte() {
    case UInt8(ascii: "{"): try object(depth: depth + 1)
    case UInt8(ascii: "["): try array(depth: depth + 1)
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "t"): try literal("true")
    case UInt8(ascii: "f"): try literal("false")
    case UInt8(ascii: "n"): try literal("null")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    default: throw invalid("looking for beginning of value")
    }
  }

  private mutating func object(depth: Int) throws {
    place += 1
    skipSpace()
    if try byte() == UInt8(ascii: "}") {
      place += 1
      return
    }
    while true {
      skipSpace()
      guard try byte() == UInt8(ascii: "\"") else { throw invalid("looking for beginning of object key string") }
      try string()
      skipSpace()
      guard try byte() == UInt8(ascii: ":") else { throw invalid("after object key") }
      place += 1
      try value(depth: depth)
      skipSpace()
      let next = try byte()
      guard next == UInt8(ascii: ",") || next == UInt8(ascii: "}") else {
        throw invalid("after object key:value pair")
      }
      place += 1
      if next == UInt8(ascii: "}") { return }
    }
  }

  private mutating func array(depth: Int) throws {
    place += 1
    skipSpace()
    if try byte() == UInt8(ascii: "]") {
      place += 1
      return
    }
    while true {
      try value(depth: depth)
      skipSpace()
      let next = try byte()
      guard next == UInt8(ascii: ",") || next == UInt8(ascii: "]") else { throw invalid("after array element") }
      place += 1
      if next == UInt8(ascii: "]") { return }
    }
  }

  private mutating func string() throws {
    place += 1
    while true {
      let current = try byte()
      if current == UInt8(ascii: "\"") {
        place += 1
        return
      }
      guard current >= 0x20 else { throw invalid("in string literal") }
      place += 1
      guard current == UInt8(ascii: "\\") else { continue }
      let escaped = try byte()
      guard "\"\\/bfnrtu".utf8.contains(escaped) else { throw invalid("in string escape code") }
      place += 1
      guard escaped == UInt8(ascii: "u") else { continue }
      for _ in 0..<4 {
        guard Self.isHex(try byte()) else { throw invalid("in \\u hexadecimal character escape") }
        place += 1
      }
    }
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "f"),
      UInt8(ascii: "A")...UInt8(ascii: "F"):
      true
    default: false
    }
  }

  private mutating func literal(_ word: String) throws {
    for expected in word.utf8 {
      guard try byte() == expected else {
        throw invalid("in literal \(word) (expecting '\(Unicode.Scalar(expected))')")
      }
      place += 1
    }
  }

  private mutating func number() throws {
    func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
    func digits(_ where: String) throws {
      guard isDigit(try byte()) else { throw invalid(`where`) }
      while place < bytes.count, isDigit(bytes[place]) { place += 1 }
    }
    if bytes[place] == UInt8(ascii: "-") { place += 1 }
    if try byte() == UInt8(ascii: "0") { place += 1 } else { try digits("in numeric literal") }
    if place < bytes.count, bytes[place] == UInt8(ascii: ".") {
      place += 1
      try digits("after decimal point in numeric literal")
    }
    if place < bytes.count, bytes[place] | 0x20 == UInt8(ascii: "e") {
      place += 1
      let sign = try byte()
      if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") { place += 1 }
      try digits("in exponent of numeric literal")
    }
  }
}
