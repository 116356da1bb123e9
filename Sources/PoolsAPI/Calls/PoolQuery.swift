/// The query of a request, read as Go's servers read it: of repeats the first one counts, pieces that hold a semicolon or
/// a percent sign without two hex digits are left out, and a plus sign is a space.
struct PoolQuery: Sendable {
  private var values: [String: String] = [:]

  init(_ query: String) {
    for piece in query.utf8.split(separator: UInt8(ascii: "&")) where !piece.contains(UInt8(ascii: ";")) {
      let parts = piece.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = Self.decoded(parts[0]), let value = Self.decoded(parts.count == 2 ? parts[1] : "".utf8[...])
      else { continue }
      if values[name] == nil { values[name] = value }
    }
  }

  /// Empty when it is not there.
  subscript(name: String) -> String { values[name] ?? "" }

  /// The parameter, or nil when it is missing or empty.
  func given(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }

  /// The first parameter whose value has more bytes than that.
  func tooLong(_ limit: Int, except: Set<String>) -> String? {
    values.filter { $0.value.utf8.count > limit && !except.contains($0.key) }.keys.min()
  }

  private static func decoded(_ text: Substring.UTF8View) -> String? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var rest = text
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): bytes.append(UInt8(ascii: " "))
      case UInt8(ascii: "%"):
        guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else { return nil }
        bytes.append(high << 4 | low)
      default: bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func digit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
