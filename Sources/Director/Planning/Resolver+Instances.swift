import Formats
import Manifests

extension Resolver {
  /// A group with its instances: identities, addresses, settings.
  mutating func resolveGroup(
    _ group: InstanceGroup, _ slots: [Placement.Slot], _ allocator: inout AddressAllocator
  ) -> ResolvedGroup? {
    guard let stemcell = stemcells[group.stemcell] else { return nil }
    var instances: [ResolvedInstance] = []
    let identities = identities(group, slots)
    for (slot, identity) in zip(slots, identities) {
      var allocated = allocator
      let problems = inputs.leavesOutHomeless ? Problems() : problems
      let instance = problems.collect {
        try resolveInstance(group, slot, identity, stemcell: stemcell, &allocated)
      }
      allocator = allocated
      if let instance { instances.append(instance) }
    }
    return ResolvedGroup(
      name: group.name, lifecycle: group.lifecycle,
      jobs: group.jobs.compactMap { jobs[JobKey(group: group.name, job: $0.name)] }, stemcell: stemcell,
      vm: group.vm, update: update(group), disk: disk(group), env: group.env, tags: tags(group),
      networks: group.networks, instances: instances.sorted { $0.index < $1.index })
  }

  private struct Identity {
    var id: String
    var index: Int
    var bootstrap: Bool
  }

  /// UUID and index for ever; exactly one is bootstrap, and stays it.
  private func identities(_ group: InstanceGroup, _ slots: [Placement.Slot]) -> [Identity] {
    // An instance that goes keeps its index until it is gone.
    var used = Set(inputs.instances.filter { $0.group == group.name }.map(\.index))
    var next = 0
    func lowestFree() -> Int {
      while used.contains(next) { next += 1 }
      used.insert(next)
      return next
    }
    var identities = slots.map { slot in
      if let existing = slot.existing {
        let index = existing.group == group.name || used.insert(existing.index).inserted ? existing.index : lowestFree()
        return Identity(id: existing.id, index: index, bootstrap: false)
      }
      return Identity(id: inputs.newIdentifier(), index: lowestFree(), bootstrap: false)
    }
    let sticky = slots.firstIndex { $0.existing?.bootstrap == true && $0.existing?.group == group.name }
    let elected = sticky ?? identities.indices.min { identities[$0].index < identities[$1].index }
    if let elected { identities[elected].bootstrap = true }
    return identities
  }

  private func resolveInstance(
    _ group: InstanceGroup, _ slot: Placement.Slot, _ identity: Identity, stemcell: StemcellRecord,
    _ allocator: inout AddressAllocator
  ) throws -> ResolvedInstance {
    let fresh = InstanceRecord(deployment: manifest.name, group: group.name, id: identity.id, index: identity.index)
    let holder = (slot.existing ?? fresh).documentName
    var addresses: [String: String] = [:]
    var networks: ValueObject = [:]
    var dnsNames: [String: String] = [:]
    for reference in group.networks {
      guard let network = cloudConfig.network(reference.name) else { continue }
      let record = AddressRecord(network: network.name, address: "", deployment: manifest.name, holder: holder)
      let (settings, address) = try settings(network, slot, record, &allocator)
      if let address { addresses[network.name] = address.description }
      networks[network.name] = .object(
        NetworkSettingsBuilder.with(settings, defaults: reference.defaults, nicGroup: reference.nicGroup))
      dnsNames[network.name] = [
        identity.id, canonicalName(group.name), canonicalName(network.name), canonicalName(manifest.name),
        inputs.domain,
      ].joined(separator: ".")
    }
    let cloudProperties = cloudProperties(group, az: slot.az)
    let main = defaultNetwork(group)
    let usesDNS = manifest.features.useDNSAddresses == true || manifest.features.useLinkDNSNames == true
    return ResolvedInstance(
      current: slot.existing, deployment: manifest.name, group: group.name, id: identity.id, index: identity.index,
      az: slot.az, bootstrap: identity.bootstrap, state: state(slot.existing ?? fresh), addresses: addresses,
      networks: networks, cloudProperties: cloudProperties,
      recipe: VMRecipe(
        cloudProperties: .array([.object(cloudProperties), size(group.vm)]), env: .object(group.env),
        networks: .object(networks), stemcell: .string("\(stemcell.name)/\(stemcell.version)")),
      address: main.flatMap { usesDNS ? dnsNames[$0] : addresses[$0] ?? dnsNames[$0] }, dnsNames: dnsNames,
      domain: inputs.domain)
  }

  private func settings(
    _ network: Network, _ slot: Placement.Slot, _ record: AddressRecord, _ allocator: inout AddressAllocator
  ) throws -> (ValueObject, IPAddress?) {
    var record = record
    switch network.kind {
    case .manual(let subnets):
      let address: IPAddress
      if let wanted = slot.staticAddresses[network.name] {
        record.address = wanted.description
        try allocator.reserve(wanted, in: network, for: record)
        address = wanted
      } else {
        address = try allocator.allocate(
          in: network.name, subnets: subnets, az: slot.az,
          current: slot.existing?.addresses[network.name].flatMap { try? IPAddress($0) }, for: record)
      }
      guard let subnet = subnets.first(where: { $0.range.contains(address) }) else {
        throw DroverError(.invalid, "network '\(network.name)': \(address) is in none of its subnets", number: 130012)
      }
      return (NetworkSettingsBuilder.manual(subnet, address), address)
    case .dynamic(let subnets):
      guard let subnet = subnets.first(where: { $0.isIn(slot.az) }) else {
        throw DroverError(
          .invalid, "network '\(network.name)' has no subnet in \(slot.az.map { "AZ '\($0)'" } ?? "no AZ")",
          number: 150006)
      }
      return (NetworkSettingsBuilder.dynamic(subnet), nil)
    case .vip(let cloudProperties, _):
      guard let wanted = slot.staticAddresses[network.name] else {
        throw DroverError(.invalid, "vip network '\(network.name)' needs static_ips", number: 130005)
      }
      record.address = wanted.description
      try allocator.reserve(wanted, in: network, for: record)
      return (NetworkSettingsBuilder.vip(cloudProperties, wanted), wanted)
    }
  }

  /// The network whose address is the instance's: the addressable one, or the one with the gateway.
  func defaultNetwork(_ group: InstanceGroup) -> String? {
    (group.networks.first { $0.defaults.contains(.addressable) }
      ?? group.networks.first { $0.defaults.contains(.gateway) })?.name
  }

  private func cloudProperties(_ group: InstanceGroup, az: String?) -> ValueObject {
    var merged = az.flatMap(cloudConfig.az)?.cloudProperties ?? [:]
    if case .type(let name) = group.vm, let type = cloudConfig.vmType(name) {
      merged = merged.merging(type.cloudProperties)
    }
    for name in group.vmExtensions {
      if let item = cloudConfig.vmExtension(name) { merged = merged.merging(item.cloudProperties) }
    }
    return merged
  }

  private func size(_ vm: InstanceGroup.VMRequest) -> Value {
    guard case .resources(let cpu, let memory, let disk) = vm else { return .null }
    return ["cpu": .int(cpu), "ram": .int(memory), "ephemeral_disk_size": .int(disk)]
  }

  private func state(_ record: InstanceRecord) -> InstanceRecord.State {
    guard let change = inputs.options.changes.last(where: { $0.target.matches(record) }) else { return record.state }
    switch change.action {
    case .stopped: return .stopped
    case .detached: return .detached
    case .started, .restart: return .started
    case .recreate: return record.state == .detached ? .started : record.state
    }
  }

  private func update(_ group: InstanceGroup) -> UpdatePolicy {
    var update = group.update
    if let amount = inputs.options.canaries.flatMap({ try? Amount($0) }) { update.canaries = amount }
    if let amount = inputs.options.maxInFlight.flatMap({ try? Amount($0) }) { update.maxInFlight = amount }
    return update
  }

  private func disk(_ group: InstanceGroup) -> ResolvedDisk? {
    switch group.persistentDisk {
    case .size(let size): return ResolvedDisk(size: size, cloudProperties: [:])
    case .type(let name):
      guard let type = cloudConfig.diskType(name), type.size > 0 else { return nil }
      return ResolvedDisk(size: type.size, cloudProperties: type.cloudProperties)
    case nil: return nil
    }
  }

  private func tags(_ group: InstanceGroup) -> [String: String] {
    inputs.runtimeConfig.tags.merging(manifest.tags) { $1 }.merging(group.tags) { $1 }
  }

  func compilationSite(_ allocator: AddressAllocator) throws -> CompilationSite {
    let settings = cloudConfig.compilation
    guard let network = cloudConfig.network(settings.network) else {
      throw DroverError(
        .invalid, "compilation.network: there is no network '\(settings.network)'", number: 120001)
    }
    var properties = settings.az.flatMap(cloudConfig.az)?.cloudProperties ?? [:]
    switch settings.vm {
    case .request(.type(let name)): properties = properties.merging(cloudConfig.vmType(name)?.cloudProperties ?? [:])
    case .request(.resources): break
    case .cloudProperties(let given): properties = properties.merging(given)
    }
    for name in settings.vmExtensions {
      properties = properties.merging(cloudConfig.vmExtension(name)?.cloudProperties ?? [:])
    }
    return CompilationSite(
      workers: settings.workers, reuseVMs: settings.reuseVMs, vm: settings.vm, az: settings.az,
      cloudProperties: properties, env: settings.env, network: network, takenAddresses: allocator.taken,
      directorAddresses: inputs.directorAddresses)
  }
}
