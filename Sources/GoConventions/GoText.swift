/// Texts as Go writes them, which clients compare or show.
public enum GoText {
  private static let hex = Array("0123456789abcdef".utf8)

  /// Bytes that may have to be escaped in JSON.
  private static let needsLook: [Bool] = {
    var table = [Bool](repeating: false, count: 256)
    for byte in 0..<0x20 { table[byte] = true }
    for byte in [0xA8, 0xA9] { table[byte] = true }
    for byte in "\"\\<>&".utf8 { table[Int(byte)] = true }
    return table
  }()

  /// The digits of a number.
  public static func append(_ number: Int64, to bytes: inout [UInt8]) {
    var text = String(number)
    text.withUTF8 { bytes.append(contentsOf: $0) }
  }

  /// A JSON string as Go's encoder writes it: with `<`, `>`, `&`, U+2028 and U+2029 escaped.
  public static func appendJSON(_ text: String, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    let isPlain = text.utf8.withContiguousStorageIfAvailable { text in
      guard !text.contains(where: { needsLook[Int($0)] }) else { return false }
      bytes.append(contentsOf: text)
      return true
    }
    if isPlain == true {
      bytes.append(UInt8(ascii: "\""))
      return
    }
    var previous: (UInt8, UInt8) = (0, 0)
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
      case 0x08: bytes += Array("\\b".utf8)
      case 0x09: bytes += Array("\\t".utf8)
      case 0x0A: bytes += Array("\\n".utf8)
      case 0x0C: bytes += Array("\\f".utf8)
      case 0x0D: bytes += Array("\\r".utf8)
      case 0..<0x20, UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "&"):
        bytes += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      case 0xA8, 0xA9:
        if previous == (0xE2, 0x80) {
          bytes.removeLast(2)
          bytes += Array("\\u202".utf8) + [byte == 0xA8 ? UInt8(ascii: "8") : UInt8(ascii: "9")]
        } else {
          bytes.append(byte)
        }
      default: bytes.append(byte)
      }
      previous = (previous.1, byte)
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// The members of a map as Go's encoder writes them: sorted by the bytes of their names.
  public static func appendJSON(_ map: [String: String], to bytes: inout [UInt8]) {
    appendObject(map, to: &bytes) { value, bytes in appendJSON(value, to: &bytes) }
  }

  /// As that, with members that are written by the caller.
  public static func appendObject<Member>(
    _ map: [String: Member], to bytes: inout [UInt8], _ write: (Member, inout [UInt8]) -> Void
  ) {
    bytes.append(UInt8(ascii: "{"))
    var first = true
    for (name, member) in map.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
      if !first { bytes.append(UInt8(ascii: ",")) }
      first = false
      appendJSON(name, to: &bytes)
      bytes.append(UInt8(ascii: ":"))
      write(member, &bytes)
    }
    bytes.append(UInt8(ascii: "}"))
  }

  /// The text in quotes as Go's `%q` prints it.
  public static func quoted(_ text: String) -> String { quoted(text, mark: "\"") }

  /// The same with another mark around it.
  public static func quoted(_ text: String, mark: Character) -> String {
    var result = String(mark)
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\u{07}": result += "\\a"
      case "\u{08}": result += "\\b"
      case "\u{0C}": result += "\\f"
      case "\n": result += "\\n"
      case "\r": result += "\\r"
      case "\t": result += "\\t"
      case "\u{0B}": result += "\\v"
      case "\\": result += "\\\\"
      case _ where Character(scalar) == mark: result += "\\\(mark)"
      case _ where isPrintable(scalar): result.unicodeScalars.append(scalar)
      case _ where scalar.value < 0x80: result += "\\x" + padded(scalar.value, 2)
      case _ where scalar.value < 0x10000: result += "\\u" + padded(scalar.value, 4)
      default: result += "\\U" + padded(scalar.value, 8)
      }
    }
    return result + String(mark)
  }

  private static func padded(_ number: UInt32, _ width: Int) -> String {
    let digits = String(number, radix: 16)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  /// Letters, marks, numbers, punctuation, symbols, and of the spaces only the common one.
  private static func isPrintable(_ scalar: Unicode.Scalar) -> Bool {
    if scalar == " " { return true }
    switch scalar.properties.generalCategory {
    case .control, .format, .surrogate, .privateUse, .unassigned, .spaceSeparator, .lineSeparator,
      .paragraphSeparator:
      return false
    default: return true
    }
  }
}
