/// What a scalar means: YAML 1.1's rules as Psych applies them. Pure text in, value out.
enum YAMLScalar {
  static let stringTag = "tag:yaml.org,2002:str"

  /// - Throws: ``DroverError`` when the tag and the text contradict each other.
  static func value(_ text: String, tag: String?, plain: Bool) throws -> Value {
    switch tag {
    case nil: return plain ? self.plain(text) : .string(text)
    case stringTag, "!", "!str": return .string(text)
    case "tag:yaml.org,2002:binary", "!binary":
      let compact = text.utf8.filter { $0 > 0x20 }
      guard let bytes = Base64.decode(String(decoding: compact, as: UTF8.self)) else {
        throw DroverError(.invalid, "!!binary is not valid base64")
      }
      guard let string = String(validating: bytes, as: UTF8.self) else {
        throw DroverError(.invalid, "!!binary holds bytes that are no UTF-8 text")
      }
      return .string(string)
    case "tag:yaml.org,2002:float", "!float":
      guard let number = self.plain(text).double else { throw mismatch(text, "!!float") }
      return .double(number)
    case "tag:yaml.org,2002:int":
      guard case .int(let number) = self.plain(text) else { throw mismatch(text, "!!int") }
      return .int(number)
    case "tag:yaml.org,2002:bool":
      guard case .bool(let flag) = self.plain(text) else { throw mismatch(text, "!!bool") }
      return .bool(flag)
    case "tag:yaml.org,2002:null": return .null
    default: return plain ? self.plain(text) : .string(text)
    }
  }

  private static func mismatch(_ text: String, _ tag: String) -> DroverError {
    DroverError(.invalid, "'\(text)' cannot be \(tag)")
  }

  /// The value of an unquoted scalar.
  static func plain(_ text: String) -> Value {
    guard let first = text.utf8.first else { return .null }
    switch first {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."):
      return number(Array(text.utf8)) ?? .string(text)
    default: return words[text.utf8.count <= 5 ? text.lowercased() : ""] ?? .string(text)
    }
  }

  private static let words: [String: Value] = [
    "~": .null, "null": .null, "yes": true, "true": true, "on": true, "no": false, "false": false, "off": false,
  ]

  private static func number(_ bytes: [UInt8]) -> Value? {
    var digits = bytes[...]
    let sign = digits.first
    let isNegative = sign == UInt8(ascii: "-")
    if isNegative || sign == UInt8(ascii: "+") { digits = digits.dropFirst() }
    switch String(decoding: digits, as: UTF8.self).lowercased() {
    case ".inf": return .double(isNegative ? -.infinity : .infinity)
    case ".nan": return digits.count == bytes.count ? .double(.nan) : nil
    default: break
    }
    return sexagesimal(digits, isNegative: isNegative) ?? float(digits, isNegative: isNegative)
      ?? integer(digits, isNegative: isNegative)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  private static func isDigitOrSeparator(_ byte: UInt8) -> Bool {
    isDigit(byte) || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ",")
  }

  /// `[0-9][0-9_,]*` (or nothing), a dot, digits, and perhaps an exponent that has a sign.
  private static func float(_ bytes: ArraySlice<UInt8>, isNegative: Bool) -> Value? {
    guard let dot = bytes.firstIndex(of: UInt8(ascii: ".")) else { return nil }
    let whole = bytes[..<dot]
    guard whole.first.map(isDigit) ?? true, whole.allSatisfy(isDigitOrSeparator) else { return nil }
    let fraction = bytes[(dot + 1)...].prefix(while: isDigit)
    let rest = bytes[fraction.endIndex...]
    var exponent = "0"
    if let mark = rest.first {
      guard mark == UInt8(ascii: "e") || mark == UInt8(ascii: "E"), let sign = rest.dropFirst().first,
        sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-"), rest.count > 2, rest.dropFirst(2).allSatisfy(isDigit)
      else { return nil }
      exponent = String(decoding: rest.dropFirst(), as: UTF8.self)
    }
    guard !whole.isEmpty || !fraction.isEmpty else { return nil }
    let wholeText = String(decoding: whole.filter(isDigit), as: UTF8.self)
    let fractionText = String(decoding: fraction, as: UTF8.self)
    guard
      let number = Double(
        "\(wholeText.isEmpty ? "0" : wholeText).\(fractionText.isEmpty ? "0" : fractionText)e\(exponent)")
    else { return nil }
    return .double(isNegative ? -number : number)
  }

  private static func integer(_ bytes: ArraySlice<UInt8>, isNegative: Bool) -> Value? {
    let text = String(decoding: bytes.filter { $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: ",") }, as: UTF8.self)
    if bytes.first == UInt8(ascii: "0"), bytes.count > 1 {
      let mark = bytes[bytes.startIndex + 1]
      let (radix, digits) =
        switch mark {
        case UInt8(ascii: "b"): (2, text.dropFirst(2))
        case UInt8(ascii: "x"): (16, text.dropFirst(2))
        default: (8, text.dropFirst(1))
        }
      if digits.isEmpty { return radix == 8 ? .int(0) : nil }
      guard digits.first != "+", digits.first != "-" else { return nil }
      return Int((isNegative ? "-" : "") + digits, radix: radix).map(Value.int)
    }
    guard let first = bytes.first, isDigit(first), let last = bytes.last, isDigit(last),
      bytes.allSatisfy(isDigitOrSeparator)
    else { return nil }
    for (left, right) in zip(bytes, bytes.dropFirst()) where !isDigit(left) && !isDigit(right) { return nil }
    if let number = Int((isNegative ? "-" : "") + text) { return .int(number) }
    return Double(text).map { .double(isNegative ? -$0 : $0) }
  }

  /// `90:30`, `1:30:00` and `1:30:00.5`: numbers in base 60, the first one always counting hours.
  private static func sexagesimal(_ bytes: ArraySlice<UInt8>, isNegative: Bool) -> Value? {
    let pieces = bytes.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    let parts = pieces[0].split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), let first = parts[0].first, isDigit(first),
      parts[0].allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "_") })
    else { return nil }
    var numbers: [Int] = []
    for (index, part) in parts.enumerated() {
      let digits = String(decoding: part.filter(isDigit), as: UTF8.self)
      guard let number = Int(digits), number < Int.max / 3600 else { return nil }
      if index > 0 { guard part.allSatisfy(isDigit), part.count <= 2, number < 60 else { return nil } }
      numbers.append(index == 0 && isNegative ? -number : number)
    }
    let factors = [3600, 60, 1]
    let whole = zip(numbers, factors).reduce(0) { $0 + $1.0 * $1.1 }
    guard pieces.count == 2 else { return .int(whole) }
    guard pieces[1].allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "_") }) else { return nil }
    let fraction = Double("0." + String(decoding: pieces[1].filter(isDigit), as: UTF8.self) + "0") ?? 0
    return .double(Double(whole) + fraction * Double(factors[parts.count - 1]))
  }
}
