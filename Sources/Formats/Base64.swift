/// Base64 and its URL-safe form (RFC 4648).
public enum Base64 {
  public enum Alphabet: Sendable, Hashable {
    /// `+` and `/`, padded with `=`.
    case standard
    /// `-` and `_`, not padded.
    case url
  }

  public static func encode(_ bytes: some Sequence<UInt8>, _ alphabet: Alphabet = .standard) -> String {
    // Outputs of errands come through here by the gigabyte.
    bytes.withContiguousStorageIfAvailable { encode($0, alphabet) }
      ?? Array(bytes).withUnsafeBufferPointer { encode($0, alphabet) }
  }

  private static func encode(_ bytes: UnsafeBufferPointer<UInt8>, _ alphabet: Alphabet) -> String {
    let (whole, rest) = bytes.count.quotientAndRemainder(dividingBy: 3)
    let symbols = rest == 0 ? whole * 4 : whole * 4 + (alphabet == .standard ? 4 : rest + 1)
    return String(unsafeUninitializedCapacity: symbols) { text in
      (alphabet == .standard ? standard : url).withUnsafeBufferPointer { table in
        func put(_ bits: UInt32, _ count: Int, at place: Int) {
          for index in 0..<count { text[place + index] = table[Int(bits >> UInt32(18 - index * 6) & 63)] }
        }
        for group in 0..<whole {
          let (first, second, third) = (bytes[group * 3], bytes[group * 3 + 1], bytes[group * 3 + 2])
          put(UInt32(first) << 16 | UInt32(second) << 8 | UInt32(third), 4, at: group * 4)
        }
        guard rest > 0 else { return }
        let last = UInt32(bytes[whole * 3]) << 16 | (rest == 2 ? UInt32(bytes[whole * 3 + 1]) << 8 : 0)
        put(last, rest + 1, at: whole * 4)
        for place in min(whole * 4 + rest + 1, symbols)..<symbols { text[place] = UInt8(ascii: "=") }
      }
      return symbols
    }
  }

  /// The bytes of a text in either alphabet, padded or not, without white space; nil when it is no base64.
  public static func decode(_ text: String) -> [UInt8]? {
    var text = text
    return text.withUTF8 { symbols in
      var count = symbols.count
      if count % 4 == 0 { for _ in 0..<2 where count > 0 && symbols[count - 1] == UInt8(ascii: "=") { count -= 1 } }
      let (whole, rest) = count.quotientAndRemainder(dividingBy: 4)
      guard rest != 1 else { return nil }
      let size = whole * 3 + max(0, rest - 1)
      var isValid = true
      let bytes = [UInt8](unsafeUninitializedCapacity: size) { bytes, filled in
        values.withUnsafeBufferPointer { values in
          // What is no symbol has a bit beyond the six of a value.
          var wrong: UInt32 = 0
          for group in 0..<whole {
            let place = group * 4
            let (first, second) = (UInt32(values[Int(symbols[place])]), UInt32(values[Int(symbols[place + 1])]))
            let (third, fourth) = (UInt32(values[Int(symbols[place + 2])]), UInt32(values[Int(symbols[place + 3])]))
            wrong |= first | second | third | fourth
            let bits = first << 18 | second << 12 | third << 6 | fourth
            bytes[group * 3] = UInt8(truncatingIfNeeded: bits >> 16)
            bytes[group * 3 + 1] = UInt8(truncatingIfNeeded: bits >> 8)
            bytes[group * 3 + 2] = UInt8(truncatingIfNeeded: bits)
          }
          if rest > 0 {
            var bits: UInt32 = 0
            for index in 0..<rest {
              let value = UInt32(values[Int(symbols[whole * 4 + index])])
              wrong |= value
              bits |= value << UInt32(18 - index * 6)
            }
            bytes[whole * 3] = UInt8(truncatingIfNeeded: bits >> 16)
            if rest == 3 { bytes[whole * 3 + 1] = UInt8(truncatingIfNeeded: bits >> 8) }
            // Bits beyond the last byte are none.
            if bits & (rest == 3 ? 0xFF : 0xFFFF) != 0 { isValid = false }
          }
          if wrong > 63 { isValid = false }
        }
        filled = size
      }
      return isValid ? bytes : nil
    }
  }

  private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let url = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  /// The value of each byte as a symbol of either alphabet; 64 for what is none.
  private static let values: [UInt8] = {
    var values = [UInt8](repeating: 64, count: 256)
    for alphabet in [standard, url] {
      for (value, symbol) in alphabet.enumerated() { values[Int(symbol)] = UInt8(value) }
    }
    return values
  }()
}
