import Formats
import Manifests

/// Network settings as CPI and agent get them (`reference/director.md B.4`).
enum NetworkSettingsBuilder {
  static func manual(_ subnet: ManualSubnet, _ address: IPAddress) -> ValueObject {
    var settings: ValueObject = [
      "type": "manual", "ip": .string(address.description),
      "prefix": .string(String(subnet.prefix ?? address.family.width)),
      "netmask": .string(subnet.range.netmask.description), "cloud_properties": .object(subnet.cloudProperties),
    ]
    if !subnet.dns.isEmpty { settings["dns"] = Value(subnet.dns) }
    if let gateway = subnet.gateway { settings["gateway"] = .string(gateway.description) }
    return settings
  }

  static func dynamic(_ subnet: DynamicSubnet) -> ValueObject {
    var settings: ValueObject = ["type": "dynamic", "cloud_properties": .object(subnet.cloudProperties)]
    if !subnet.dns.isEmpty { settings["dns"] = Value(subnet.dns) }
    return settings
  }

  static func vip(_ cloudProperties: ValueObject, _ address: IPAddress) -> ValueObject {
    ["type": "vip", "ip": .string(address.description), "cloud_properties": .object(cloudProperties)]
  }

  /// With what the network is the default for.
  static func with(_ settings: ValueObject, defaults: Set<GroupNetwork.Default>, nicGroup: String?) -> ValueObject {
    var settings = settings
    if !defaults.isEmpty { settings["default"] = Value(defaults.sorted().map(\.rawValue)) }
    if let nicGroup { settings["nic_group"] = .string(nicGroup) }
    return settings
  }
}
