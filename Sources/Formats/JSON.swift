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
    case .null: bytes += Array("null".utf8)
    case .bool(let flag): bytes += Array((flag ? "true" : "false").utf8)
    case .int(let number): bytes += Array(String(number).utf8)
    case .double(let number): bytes += Array(JSON.text(of: number).utf8)
    case .string(let text): write(text)
    case .array(let elements):
      writeList("[", "]", elements, level: level) { writer, element in writer.write(element, level: level + 1) }
    case .object(let object):
      let members = Array(style.sorted ? object.sorted() : object)
      writeList("{", "}", members, level: level) { writer, member in
        writer.write(member.key)
        writer.bytes += Array((writer.style.indented ? ": " : ":").utf8)
        writer.write(member.value, level: level + 1)
      }
    }
  }

  private mutating func writeList<Element>(
    _ open: String, _ close: String, _ elements: [Element], level: Int, _ each: (inout JSONWriter, Element) -> Void
  ) {
    bytes += Array(open.utf8)
    for (index, element) in elements.enumerated() {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      newLine(level + 1)
      each(&self, element)
    }
    if !elements.isEmpty { newLine(level) }
    bytes += Array(close.utf8)
  }

  private mutating func newLine(_ level: Int) {
    guard style.indented else { return }
    bytes.append(UInt8(ascii: "\n"))
    bytes += Array(repeating: UInt8(ascii: " "), count: level * 2)
  }

  private mutating func write(_ text: String) {
    let hex = Array("0123456789abcdef".utf8)
    bytes.append(UInt8(ascii: "\""))
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""): bytes += Array("\\\"".utf8)
      case UInt8(ascii: "\\"): bytes += Array("\\\\".utf8)
      case 0x0A: bytes += Array("\\n".utf8)
      case 0x0D: bytes += Array("\\r".utf8)
      case 0x09: bytes += Array("\\t".utf8)
      case 0..<0x20: bytes += Array("\\u00".utf8) + [hex[Int(byte >> 4)], hex[Int(byte & 15)]]
      default: bytes.append(byte)
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }
}
