import Formats

/// A run of addresses of one family, both ends included: `10.0.0.5`, `10.0.0.5 - 10.0.0.9` or `10.0.0.0/29`.
public struct AddressRange: Sendable, Hashable, CustomStringConvertible {
  public let lowest: IPAddress
  public let highest: IPAddress

  /// Nil when the ends are of different families or in the wrong order.
  public init?(lowest: IPAddress, highest: IPAddress) {
    guard lowest.family == highest.family, lowest <= highest else { return nil }
    self.lowest = lowest
    self.highest = highest
  }

  public init(_ address: IPAddress) {
    lowest = address
    highest = address
  }

  /// Reads an address, two addresses with a dash between, or a block in CIDR form (`reference/director.md B.4`).
  ///
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ text: String) throws {
    let text = text.trimmed
    if text.contains("/") {
      self = try CIDRBlock(text).range
      return
    }
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { String($0).trimmed }
    guard ends.count <= 2, let first = ends.first, let last = ends.last else {
      throw DroverError(.invalid, "'\(text)' is not a range of addresses; expected A, A - B or A/BITS", number: 160010)
    }
    guard let range = AddressRange(lowest: try IPAddress(first), highest: try IPAddress(last)) else {
      throw DroverError(
        .invalid, "'\(text)' is not a range: the first address must not be above the last", number: 160010)
    }
    self = range
  }

  public func contains(_ address: IPAddress) -> Bool { lowest <= address && address <= highest }
  public func contains(_ other: AddressRange) -> Bool { contains(other.lowest) && contains(other.highest) }

  public func overlaps(_ other: AddressRange) -> Bool {
    lowest.family == other.lowest.family && lowest <= other.highest && other.lowest <= highest
  }

  public var description: String { lowest == highest ? "\(lowest)" : "\(lowest) - \(highest)" }
}

/// A network in CIDR form: a base address and how many leading bits are fixed.
public struct CIDRBlock: Sendable, Hashable, CustomStringConvertible {
  /// The lowest address: the host bits of what was written are ignored.
  public let network: IPAddress
  /// Fixed leading bits.
  public let prefix: Int

  /// Nil when the prefix does not fit the family.
  public init?(containing address: IPAddress, prefix: Int) {
    guard (0...address.family.width).contains(prefix),
      let network = IPAddress(family: address.family, bits: address.bits & ~Self.hostMask(address.family, prefix))
    else { return nil }
    self.network = network
    self.prefix = prefix
  }

  /// Reads `10.0.0.0/24` or `fd00::/64`.
  ///
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ text: String) throws {
    let parts = text.trimmed.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let prefix = Int(parts[1]), parts[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      throw DroverError(.invalid, "'\(text)' is not a network; expected one such as 10.0.0.0/24", number: 160002)
    }
    let address = try IPAddress(String(parts[0]))
    guard let block = CIDRBlock(containing: address, prefix: prefix) else {
      throw DroverError(
        .invalid, "'\(text)': \(prefix) is not a prefix length; expected 0 to \(address.family.width)", number: 160002)
    }
    self = block
  }

  private static func hostMask(_ family: IPAddress.Family, _ prefix: Int) -> UInt128 {
    let hostBits = family.width - prefix
    return hostBits >= 128 ? .max : (1 << UInt128(hostBits)) - 1
  }

  /// All addresses of the network, its own and the broadcast address included.
  public var range: AddressRange {
    let last = IPAddress(family: network.family, bits: network.bits | Self.hostMask(network.family, prefix))
    return AddressRange(lowest: network, highest: last ?? network) ?? AddressRange(network)
  }

  /// The highest address; of an IPv4 network the broadcast address.
  public var broadcast: IPAddress { range.highest }

  /// The network mask as an address: `255.255.255.0`.
  public var netmask: IPAddress {
    IPAddress(family: network.family, bits: network.family.highest & ~Self.hostMask(network.family, prefix)) ?? network
  }

  public func contains(_ address: IPAddress) -> Bool { range.contains(address) }
  public func overlaps(_ other: CIDRBlock) -> Bool { range.overlaps(other.range) }
  public var description: String { "\(network)/\(prefix)" }
}

extension String {
  var trimmed: String {
    func isBlank(_ character: Character) -> Bool { character.isWhitespace }
    return String(drop(while: isBlank).reversed().drop(while: isBlank).reversed())
  }
}
