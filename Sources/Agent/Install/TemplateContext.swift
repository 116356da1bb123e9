import AgentProtocol
import Formats

/// What templates that are rendered on the VM see as `spec`: the same members as on the server
/// (`reference/lifecycle.md 4.1`), taken from an apply spec. Such specs have no links.
struct TemplateContext: Sendable, Hashable {
  let applied: ApplySpec
  private static let domain = "bosh"

  init(_ applied: ApplySpec) { self.applied = applied }

  /// The instance group's name; old directors have it with the job only.
  var group: String { applied.name.isEmpty ? applied.job.name ?? "" : applied.name }

  /// - Parameter properties: of the one job, with its defaults.
  func value(properties: ValueObject) -> Value {
    let index = applied.index ?? 0
    let address = address
    return [
      "deployment": .string(applied.deployment), "job": ["name": .string(group)], "index": .int(index),
      "bootstrap": .bool(index == 0), "name": .string(group), "id": .string(applied.id),
      "az": applied.az.isEmpty ? .null : .string(applied.az), "networks": .object(networks),
      "properties": .object(properties), "links": [:], "dns_domain_name": .string(Self.domain),
      "persistent_disk": .int(applied.persistentDisk), "address": address, "ip": address,
      "release": [
        "name": .string(applied.release?.name ?? applied.job.release),
        "version": .string(applied.release?.version ?? ""),
      ],
    ]
  }

  /// Everything that rendered files may depend on beside the templates: another text means another installation.
  var identity: String { JSON.text(value(properties: applied.properties)) }

  private var networks: ValueObject {
    var networks: ValueObject = [:]
    for (name, value) in applied.networks {
      var network = value.object ?? [:]
      if network["dns_record_name"] == nil {
        let parts = [group, name, applied.deployment].map(Self.canonical)
        network["dns_record_name"] = .string(
          ([String(applied.index ?? 0)] + parts + [Self.domain]).joined(separator: "."))
      }
      networks[name] = .object(network)
    }
    return networks
  }

  /// That of the network that is addressable, else of the one with the gateway, else of the only one.
  private var address: Value {
    func network(_ role: String) -> Value? {
      applied.networks.first { ($0.value["default"]?.array ?? []).contains(.string(role)) }?.value
    }
    let only = applied.networks.count == 1 ? applied.networks.map { $0.value }.first : nil
    return (network("addressable") ?? network("gateway") ?? only)?["ip"] ?? .null
  }

  /// A name as it stands in DNS names: lower case, `_` as `-`, nothing else but letters and digits.
  private static func canonical(_ name: String) -> String {
    String(
      name.lowercased().compactMap { character -> Character? in
        if character == "_" { return "-" }
        return character.isASCII && (character.isLetter || character.isNumber || character == "-") ? character : nil
      })
  }
}
