import AgentProtocol
import Formats

/// Checks a spec's networks against the VM's own, and gives dynamic ones the address they have (reference/agent.md 9, 10).
enum SpecNetworks {
  static func resolve(_ spec: ApplySpec, _ settings: [NetworkSettings]) throws -> ApplySpec {
    var spec = spec
    for (name, value) in spec.networks {
      guard let network = settings[name] else {
        if value["type"]?.string == "local" || value["ip"]?.string == "127.0.0.1" { continue }
        throw DroverError(.notFound, "Resolving dynamic networks: Network '\(name)' is not found in settings")
      }
      guard network.isDHCP, var object = value.object else { continue }
      for (member, text) in [("ip", network.ip), ("netmask", network.netmask), ("gateway", network.gateway)]
      where !text.isEmpty {
        object[member] = .string(text)
      }
      spec.networks[name] = .object(object)
    }
    return spec
  }
}
