import Formats

/// An IPv4 or IPv6 address. Addresses of one family are ordered by number; IPv4 comes before IPv6.
public struct IPAddress: Sendable, Hashable, Comparable, CustomStringConvertible {
  public enum Family: Sendable, Hashable {
    case v4, v6

    /// Bits of an address.
    public var width: Int { self == .v4 ? 32 : 128 }
    /// The highest address as a number.
    var highest: UInt128 { self == .v4 ? UInt128(UInt32.max) : UInt128.max }
  }

  public let family: Family
  /// The address as a number.
  public let bits: UInt128

  /// Nil when the number is too big for the family.
  public init?(family: Family, bits: UInt128) {
    guard bits <= family.highest else { return nil }
    self.family = family
    self.bits = bits
  }

  /// Reads `10.0.0.1` or `fd00::1` (RFC 4291; no zone, no embedded IPv4).
  ///
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ text: String) throws {
    guard let address = text.contains(":") ? Self.version6(text) : Self.version4(text) else {
      throw DroverError(.invalid, "'\(text)' is not an IP address; expected one such as 10.0.0.1 or fd00::1")
    }
    self = address
  }

  public static func < (left: IPAddress, right: IPAddress) -> Bool {
    left.family == right.family ? left.bits < right.bits : left.family == .v4
  }

  /// The next address; nil after the last.
  public var next: IPAddress? { bits == family.highest ? nil : IPAddress(family: family, bits: bits + 1) }
  /// The address before; nil before the first.
  public var previous: IPAddress? { bits == 0 ? nil : IPAddress(family: family, bits: bits - 1) }

  public var description: String {
    switch family {
    case .v4: [24, 16, 8, 0].map { String(bits >> UInt128($0) & 0xFF) }.joined(separator: ".")
    case .v6: Self.text(ofGroups: (0..<8).map { UInt16(truncatingIfNeeded: bits >> UInt128(112 - $0 * 16)) })
    }
  }

  private static func version4(_ text: String) -> IPAddress? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bits: UInt128 = 0
    for part in parts {
      guard (1...3).contains(part.utf8.count), part.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
        let octet = UInt8(part)
      else { return nil }
      bits = bits << 8 | UInt128(octet)
    }
    return IPAddress(family: .v4, bits: bits)
  }

  private static func version6(_ text: String) -> IPAddress? {
    func groups(_ text: Substring) -> [UInt16]? {
      if text.isEmpty { return [] }
      var groups: [UInt16] = []
      for part in text.split(separator: ":", omittingEmptySubsequences: false) {
        guard (1...4).contains(part.utf8.count), part.utf8.first != UInt8(ascii: "+"),
          let group = UInt16(part, radix: 16)
        else { return nil }
        groups.append(group)
      }
      return groups
    }
    let all: [UInt16]
    if let gap = text.firstRange(of: "::") {
      guard let before = groups(text[..<gap.lowerBound]), let after = groups(text[gap.upperBound...]),
        before.count + after.count < 8
      else { return nil }
      all = before + Array(repeating: 0, count: 8 - before.count - after.count) + after
    } else {
      guard let groups = groups(text[...]), groups.count == 8 else { return nil }
      all = groups
    }
    return IPAddress(family: .v6, bits: all.reduce(0) { $0 << 16 | UInt128($1) })
  }

  /// RFC 5952: lower case, the first longest run of two or more zero groups left out.
  private static func text(ofGroups groups: [UInt16]) -> String {
    var gap = 0..<0
    var start = 0
    for index in 0...groups.count where index == groups.count || groups[index] != 0 {
      if index - start > max(gap.count, 1) { gap = start..<index }
      start = index + 1
    }
    func text(_ groups: ArraySlice<UInt16>) -> String {
      groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
    return gap.isEmpty ? text(groups[...]) : text(groups[..<gap.lowerBound]) + "::" + text(groups[gap.upperBound...])
  }
}
