public import Formats

/// One network of a VM (reference/agent.md 4). ``raw`` has everything, as it was written.
public struct NetworkSettings: Sendable, Hashable {
  public var name: String
  public var raw: ValueObject

  public init(name: String, _ raw: ValueObject) {
    self.name = name
    self.raw = raw
  }

  private func text(_ name: String) -> String { raw[name]?.scalarText ?? "" }

  /// `manual` (or anything else), `dynamic` or `vip`.
  public var type: String { text("type") }
  public var ip: String { text("ip") }
  public var netmask: String { text("netmask") }
  public var gateway: String { text("gateway") }
  public var prefix: String { text("prefix") }
  public var mac: String { text("mac") }
  public var isPreconfigured: Bool { raw["preconfigured"]?.bool ?? false }
  public var dns: [String] { (raw["dns"]?.array ?? []).compactMap(\.string) }
  /// For what this network is the default: `dns`, `gateway`.
  public var defaults: [String] { (raw["default"]?.array ?? []).compactMap(\.string) }

  public var isVIP: Bool { type == "vip" }
  public var isDHCP: Bool {
    guard !isVIP else { return false }
    return type == "dynamic" || raw["use_dhcp"]?.bool == true || raw["resolved"]?.bool == true || ip.isEmpty
      || netmask.isEmpty
  }
}

extension Array where Element == NetworkSettings {
  public subscript(name: String) -> NetworkSettings? { first { $0.name == name } }

  /// The only network, else the first that is the default for `what` (`dns` or `gateway`).
  public func defaultNetwork(for what: String) -> NetworkSettings? {
    count == 1 ? self[0] : first { $0.defaults.contains(what) }
  }

  /// The address that stands for the VM: one of a network that is a default for something, else any.
  public var defaultIP: String? {
    let addressed = filter { !$0.ip.isEmpty }
    return (addressed.first { !$0.defaults.isEmpty } ?? addressed.first)?.ip
  }
}
