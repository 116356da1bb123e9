/// A set of addresses kept as ranges, so that a /8 costs as much as a /30.
public struct AddressSet: Sendable, Hashable, CustomStringConvertible {
  /// Disjoint, not touching, ascending.
  public private(set) var ranges: [AddressRange] = []

  public init() {}

  public init(_ ranges: some Sequence<AddressRange>) {
    for range in ranges.sorted(by: { $0.lowest < $1.lowest }) {
      if let last = self.ranges.last, last.overlaps(range) || last.highest.next == range.lowest,
        last.lowest.family == range.lowest.family,
        let joined = AddressRange(lowest: last.lowest, highest: max(last.highest, range.highest))
      {
        self.ranges[self.ranges.count - 1] = joined
      } else {
        self.ranges.append(range)
      }
    }
  }

  public init(_ addresses: some Sequence<IPAddress>) { self.init(addresses.map { AddressRange($0) }) }

  public var isEmpty: Bool { ranges.isEmpty }

  /// How many addresses there are; `UInt128.max` for the one set that has more.
  public var count: UInt128 {
    ranges.reduce(0) { total, range in
      let (sum, overflow) = total.addingReportingOverflow(range.highest.bits - range.lowest.bits)
      let (next, overflowNext) = sum.addingReportingOverflow(1)
      return overflow || overflowNext ? .max : next
    }
  }

  public func contains(_ address: IPAddress) -> Bool { ranges.contains { $0.contains(address) } }
  public func contains(_ range: AddressRange) -> Bool { ranges.contains { $0.contains(range) } }
  public func overlaps(_ range: AddressRange) -> Bool { ranges.contains { $0.overlaps(range) } }

  public func union(_ other: AddressSet) -> AddressSet { AddressSet(ranges + other.ranges) }

  public func subtracting(_ other: AddressSet) -> AddressSet {
    var remaining = ranges
    for hole in other.ranges {
      remaining = remaining.flatMap { Self.subtract(hole, from: $0) }
    }
    return AddressSet(remaining)
  }

  private static func subtract(_ hole: AddressRange, from range: AddressRange) -> [AddressRange] {
    guard range.overlaps(hole) else { return [range] }
    let below = hole.lowest.previous.flatMap { AddressRange(lowest: range.lowest, highest: $0) }
    let above = hole.highest.next.flatMap { AddressRange(lowest: $0, highest: range.highest) }
    return [below, above].compactMap { $0 }
  }

  /// The lowest address that is not in `taken`; nil when none is left. The cost grows with what is taken below it.
  public func lowest(excluding taken: Set<IPAddress> = []) -> IPAddress? {
    for range in ranges {
      var candidate: IPAddress? = range.lowest
      while let address = candidate, range.contains(address) {
        if !taken.contains(address) { return address }
        candidate = address.next
      }
    }
    return nil
  }

  /// All addresses in order. Only for sets that are small by nature, such as the static addresses of a group.
  public var addresses: [IPAddress] {
    ranges.flatMap { range in
      sequence(first: range.lowest) { $0 < range.highest ? $0.next : nil }
    }
  }

  public var description: String { ranges.map(\.description).joined(separator: ", ") }
}
