public import Formats
import Manifests

extension ResolvedDeployment {
  /// What templates of that job see as `spec` (`reference/lifecycle.md 4.1`), with `((variables))` still in it.
  ///
  /// - Parameter networks: Settings that the agent has told, for dynamic networks; nil before its VM exists.
  public func templateSpec(of job: ResolvedJob, on instance: ResolvedInstance, networks: ValueObject? = nil) -> Value {
    var settings: ValueObject = [:]
    var address = Value.null
    var addressable = false
    for (name, planned) in instance.networks {
      var network = planned.object ?? [:]
      if let told = networks?[name]?.object { network = network.merging(told) }
      let defaults = network["default"]?.array ?? []
      if network["type"] == "dynamic" {
        // Templates may be rendered before the agent knows: they get something that is an address.
        for key in ["ip", "netmask", "gateway"] where network[key] == nil { network[key] = "127.0.0.1" }
      }
      if defaults.contains("addressable") || (!addressable && address.isNull && defaults.contains("gateway")) {
        address = network["ip"] ?? .null
        addressable = defaults.contains("addressable")
      }
      network["dns_record_name"] = .string(dnsRecordName(instance, name))
      settings[name] = .object(network)
    }
    let group = group(instance.group)
    return [
      "deployment": .string(name), "job": ["name": .string(instance.group)], "index": .int(instance.index),
      "bootstrap": .bool(instance.bootstrap), "name": .string(instance.group), "id": .string(instance.id),
      "az": Value(instance.az), "networks": .object(settings), "properties": job.properties,
      "links": .object(job.links), "dns_domain_name": .string(instance.domain),
      "persistent_disk": .int(group?.disk?.size ?? 0), "address": Value(instance.address), "ip": address,
      "release": ["name": .string(job.release), "version": .string(job.releaseVersion)],
    ]
  }

  /// `INDEX.GROUP.NETWORK.DEPLOYMENT.DOMAIN`.
  private func dnsRecordName(_ instance: ResolvedInstance, _ network: String) -> String {
    let parts = [String(instance.index), canonicalName(instance.group), canonicalName(network), canonicalName(name)]
    return (parts + [instance.domain]).joined(separator: ".")
  }
}
