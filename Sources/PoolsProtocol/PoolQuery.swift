/// The query of a request, read as Go's servers read it: of repeats the first one counts, pieces that hold a semicolon or
/// a percent sign without two hex digits are left out, and a plus sign is a space.
public struct PoolQuery: Sendable {
  /// In the order in which they came; few, so that looking through them costs less than a table would.
  private var values: [(name: String, value: String)] = []

  public init(_ query: String) {
    guard !query.isEmpty else { return }
    var query = query
    values.reserveCapacity(6)
    query.withUTF8 { bytes in
      for piece in bytes.split(separator: UInt8(ascii: "&")) where !piece.contains(UInt8(ascii: ";")) {
        let middle = piece.firstIndex(of: UInt8(ascii: "=")) ?? piece.endIndex
        guard let name = Self.decoded(piece[..<middle]), let value = Self.decoded(piece[middle...].dropFirst()) else {
          continue
        }
        values.append((name, value))
      }
    }
  }

  /// Empty when it is not there.
  public subscript(name: String) -> String { values.first { $0.name == name }?.value ?? "" }

  /// The parameter, or nil when it is missing or empty.
  public func given(_ name: String) -> String? {
    let value = self[name]
    return value.isEmpty ? nil : value
  }

  /// A parameter whose value has more bytes than that; the first one by name.
  public func tooLong(_ limit: Int, except: Set<String>) -> String? {
    guard values.contains(where: { $0.value.utf8.count > limit }) else { return nil }
    return values.filter { $0.value.utf8.count > limit && !except.contains($0.name) }.map(\.name).min()
  }

  private static func decoded(_ text: Slice<UnsafeBufferPointer<UInt8>>) -> String? {
    guard text.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") }) else {
      return String(decoding: text, as: UTF8.self)
    }
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
