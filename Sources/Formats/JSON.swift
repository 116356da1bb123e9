/// JSON text to ``Value`` and back (RFC 8259).
///
/// Reading is strict and bounded: no trailing commas, no comments, at most ``maximumDepth`` levels. Numbers without
/// fraction and exponent that fit are integers. Writing keeps the order of members, which several peers rely on.
public enum JSON {
  /// Arrays and objects may be nested this deep.
  public static let maximumDepth = 512

  /// - Throws: ``DroverError`` with code `invalid`, naming line and column.
  public static func parse(_ text: String) throws -> Value { try parse(Array(text.utf8)) }

  /// - Throws: ``DroverError`` with code `invalid`, or `tooLarge` beyond ``maximumDepth``, naming line and column.
  public static func parse(_ bytes: [UInt8]) throws -> Value {
    var parser = JSONParser(bytes)
    return try parser.document()
  }

  /// How a value is written.
  public struct Style: Sendable, Hashable {
    /// Two spaces per level and a line per member.
    public var indented: Bool
    /// Members sorted by name instead of in their own order.
    public var sorted: Bool

    public init(indented: Bool = false, sorted: Bool = false) {
      self.indented = indented
      self.sorted = sorted
    }

    public static let compact = Style()
    public static let pretty = Style(indented: true)
  }

  public static func text(_ value: Value, _ style: Style = .compact) -> String {
    String(decoding: bytes(value, style), as: UTF8.self)
  }

  public static func bytes(_ value: Value, _ style: Style = .compact) -> [UInt8] {
    var writer = JSONWriter(style: style)
    writer.write(value, level: 0)
    return writer.bytes
  }

  /// A number in its shortest form; what JSON cannot say (infinities, not-a-number) is `null`.
  static func text(of number: Double) -> String {
    guard number.isFinite else { return "null" }
    if number == number.rounded(), number.magnitude < 1e15 { return "\(Int(number)).0" }
    return "\(number)"
  }
}

private struct JSONWriter {
  let style: JSON.Style
  var bytes: [UInt8] = []

  mutating func write(_ value: Value, level: Int) {
    switch value {
    case .null: add("null")
    case .bool(let flag): add(flag ? "true" : "false")
    case .int(let number): add(String(number))
    case .double(let number): add(JSON.text(of: number))
    case .string(let text): write(text)
    case .array(let elements):
      add("[")
      var isFirst = true
      for element in elements {
        separate(&isFirst, level: level + 1)
        write(element, level: level + 1)
      }
      end("]", isEmpty: isFirst, level: level)
    case .object(let object):
      add("{")
      var isFirst = true
      for member in style.sorted ? object.sorted() : object {
        separate(&isFirst, level: level + 1)
        write(member.key)
        add(style.indented ? ": " : ":")
        write(member.value, level: level + 1)
      }
      end("}", isEmpty: isFirst, level: level)
    }
  }

  private mutating func add(_ text: String) { bytes.append(contentsOf: text.utf8) }

  private mutating func separate(_ isFirst: inout Bool, level: Int) {
    if !isFirst { bytes.append(UInt8(ascii: ",")) }
    isFirst = false
    newLine(level)
  }

  private mutating func end(_ close: String, isEmpty: Bool, level: Int) {
    if !isEmpty { newLine(level) }
    add(close)
  }

  private mutating func newLine(_ level: Int) {
    guard style.indented else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes += Array(repeating: UInt8(ascii: " "), count: level * 2)
  }

  /// What stands between two characters that need an escape is taken as a whole: most texts have none.
  private mutating func write(_ text: String) {
    bytes.append(UInt8(ascii: "\""))
    var text = text
    text.withUTF8 { text in
      var start = 0
      for (index, byte) in text.enumerated()
      where byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") {
        bytes.append(contentsOf: text[start..<index])
        escape(byte)
        start = index + 1
      }
      bytes.append(contentsOf: text[start...])
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func escape(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "\""): add("\\\"")
    case UInt8(ascii: "\\"): add("\\\\")
    case 0x0A: add("\\n")
    case 0x0D: add("\\r")
    case 0x09: add("\\t")
    default: add(byte < 0x10 ? "\\u000\(String(byte, radix: 16))" : "\\u00\(String(byte, radix: 16))")
    }
  }
}
