/// An IPv4 address.
struct IPv4: Sendable, Hashable, CustomStringConvertible {
  var number: UInt32

  init(number: UInt32) { self.number = number }

  /// Nil when the text is not four numbers from 0 to 255 joined by dots.
  init?(_ text: String) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    number = 0
    for part in parts {
      guard part.count <= 3, part.allSatisfy(\.isASCIIDigit), let byte = UInt8(part) else { return nil }
      number = number << 8 | UInt32(byte)
    }
  }

  var description: String {
    [24, 16, 8, 0].map { String(number >> UInt32($0) & 255) }.joined(separator: ".")
  }

  /// The length of the prefix that a netmask stands for; nil when its ones are not all in front.
  static func prefix(ofNetmask text: String) -> Int? {
    guard let mask = IPv4(text)?.number else { return nil }
    let length = (~mask).leadingZeroBitCount
    return netmask(length) == mask ? length : nil
  }

  static func netmask(_ prefix: Int) -> UInt32 { prefix == 0 ? 0 : UInt32.max << UInt32(32 - prefix) }

  /// The first address of its network.
  func network(_ prefix: Int) -> IPv4 { IPv4(number: number & Self.netmask(prefix)) }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
