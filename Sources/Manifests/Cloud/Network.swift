public import Formats

/// A network of the cloud config.
public struct Network: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    /// The director picks addresses.
    case manual([ManualSubnet])
    /// The cloud picks addresses.
    case dynamic([DynamicSubnet])
    /// Public addresses that are put before an instance.
    case vip(cloudProperties: ValueObject, subnets: [VIPSubnet])
  }

  public var name: String
  public var kind: Kind
  /// Whether the director makes the network itself.
  public var managed: Bool

  /// The word for its kind in documents.
  public var type: String {
    switch kind {
    case .manual: "manual"
    case .dynamic: "dynamic"
    case .vip: "vip"
    }
  }

  /// The AZs that it has subnets in; nil when it does not care.
  public var azs: Set<String>? {
    let lists: [[String]?] =
      switch kind {
      case .manual(let subnets): subnets.map(\.azs)
      case .dynamic(let subnets): subnets.map(\.azs)
      case .vip(_, let subnets): subnets.map(\.azs)
      }
    let named = lists.compactMap { $0 }
    return named.isEmpty ? nil : Set(named.flatMap { $0 })
  }
}

/// A subnet in which the director picks addresses.
public struct ManualSubnet: Sendable, Hashable {
  public var name: String?
  public var range: CIDRBlock
  public var gateway: IPAddress?
  public var dns: [String]
  /// Nil when the network does not care.
  public var azs: [String]?
  public var cloudProperties: ValueObject
  /// Not to be given out: what the config reserves, the gateway, and the network's own and broadcast address.
  public var reserved: AddressSet
  /// Only to be given to instances that ask for them.
  public var staticAddresses: AddressSet
  /// Length of the prefix that an instance gets; nil for single addresses.
  public var prefix: Int?

  /// Addresses that may be given to instances that ask for none in particular.
  public var dynamicAddresses: AddressSet {
    AddressSet([range.range]).subtracting(reserved).subtracting(staticAddresses)
  }

  public func isIn(_ az: String?) -> Bool {
    guard let azs else { return true }
    return az.map(azs.contains) ?? false
  }
}

/// A subnet in which the cloud picks addresses.
public struct DynamicSubnet: Sendable, Hashable {
  public var dns: [String]
  public var azs: [String]?
  public var cloudProperties: ValueObject

  public func isIn(_ az: String?) -> Bool {
    guard let azs else { return true }
    return az.map(azs.contains) ?? false
  }
}

/// Public addresses from which the director picks.
public struct VIPSubnet: Sendable, Hashable {
  public var staticAddresses: AddressSet
  public var azs: [String]?
}
