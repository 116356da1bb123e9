import Formats
import Manifests

/// Which instance is in which AZ: who stays, who comes, who goes (`reference/director.md C.4`).
struct Placement {
  /// A place for an instance.
  struct Slot {
    /// The instance that takes it; nil for a new one.
    var existing: InstanceRecord?
    var az: String?
    /// By network name.
    var staticAddresses: [String: IPAddress] = [:]
  }

  private(set) var slots: [Slot] = []
  private(set) var obsolete: [InstanceRecord]
  private let group: InstanceGroup
  private let networks: [String: Network]

  /// - Parameters:
  ///   - current: The instances that the group has now.
  ///   - networks: Those of the group, by name.
  /// - Throws: ``DroverError`` with code `invalid` when static addresses and AZs do not fit.
  init(_ group: InstanceGroup, current: [InstanceRecord], networks: [String: Network]) throws {
    self.group = group
    self.networks = networks
    obsolete = current.sorted { $0.index < $1.index }
    if let first = group.networks.first(where: { $0.staticAddresses != nil }) {
      try placeByAddress(first)
      for network in group.networks where network.staticAddresses != nil && network.name != first.name {
        try addAddresses(network)
      }
    } else {
      placeByZone()
    }
  }

  private mutating func take(_ slot: Slot, _ fits: (InstanceRecord) -> Bool = { _ in false }) {
    var slot = slot
    if slot.existing == nil, let index = obsolete.firstIndex(where: fits) { slot.existing = obsolete.remove(at: index) }
    slots.append(slot)
  }

  // MARK: AZ by AZ

  private mutating func placeByZone() {
    let zones: [String?] = group.azs.isEmpty ? [nil] : group.azs
    // What has a disk stays where its disk is.
    while slots.count < group.instances {
      let withDisks = zones.filter { zone in obsolete.contains { $0.az == zone && !$0.disks.isEmpty } }
      guard let zone = emptiest(withDisks) else { break }
      take(Slot(az: zone)) { $0.az == zone && !$0.disks.isEmpty }
    }
    while slots.count < group.instances {
      guard let zone = emptiest(zones) else { break }
      take(Slot(az: zone)) { $0.az == zone }
    }
  }

  /// The AZ with the fewest instances; of several one that has an instance without a place, then the first by name.
  private func emptiest(_ zones: [String?]) -> String?? {
    zones.min { left, right in
      let counts = (count(left), count(right))
      if counts.0 != counts.1 { return counts.0 < counts.1 }
      let waiting = (isWaiting(left), isWaiting(right))
      if waiting.0 != waiting.1 { return waiting.0 }
      return (left ?? "") < (right ?? "")
    }
  }

  private func count(_ zone: String?) -> Int { slots.count { $0.az == zone } }
  private func isWaiting(_ zone: String?) -> Bool { obsolete.contains { $0.az == zone } }

  // MARK: By static address

  /// The addresses of the first network that has static ones decide.
  private mutating func placeByAddress(_ network: GroupNetwork) throws {
    var open: [(address: IPAddress, zones: [String?])] = []
    for address in network.staticAddresses ?? [] {
      let zones = try zones(of: address, in: network)
      let holder = obsolete.firstIndex { $0.addresses[network.name] == address.description && zones.contains($0.az) }
      guard let holder else {
        open.append((address, zones))
        continue
      }
      let record = obsolete.remove(at: holder)
      slots.append(Slot(existing: record, az: record.az, staticAddresses: [network.name: address]))
    }
    for (address, zones) in open {
      guard let zone = emptiest(zones) else { continue }
      take(Slot(az: zone, staticAddresses: [network.name: address])) { $0.az == zone }
    }
  }

  /// The addresses of further networks go to the instances that have them, then to those in the right AZ.
  private mutating func addAddresses(_ network: GroupNetwork) throws {
    var open = network.staticAddresses ?? []
    for index in slots.indices {
      let current = slots[index].existing?.addresses[network.name]
      guard let place = open.firstIndex(where: { $0.description == current }),
        try zones(of: open[place], in: network).contains(slots[index].az)
      else { continue }
      slots[index].staticAddresses[network.name] = open.remove(at: place)
    }
    for index in slots.indices where slots[index].staticAddresses[network.name] == nil {
      let zone = slots[index].az
      guard let place = try open.firstIndex(where: { try zones(of: $0, in: network).contains(zone) }) else {
        throw DroverError(
          .invalid,
          "Failed to evenly distribute static IPs between zones for instance group '\(group.name)': network "
            + "'\(network.name)' has no static IP left in \(zone.map { "AZ '\($0)'" } ?? "no AZ")", number: 150002)
      }
      slots[index].staticAddresses[network.name] = open.remove(at: place)
    }
  }

  /// The AZs of the group that an address can be in.
  private func zones(of address: IPAddress, in network: GroupNetwork) throws -> [String?] {
    switch networks[network.name]?.kind {
    case .manual(let subnets):
      guard let subnet = subnets.first(where: { $0.range.contains(address) }) else {
        throw DroverError(
          .invalid,
          "Instance group '\(group.name)' with network '\(network.name)' declares static ip '\(address)', which "
            + "belongs to no subnet", number: 150009)
      }
      guard let zones = subnet.azs, !group.azs.isEmpty else { return group.azs.isEmpty ? [nil] : group.azs }
      let common = group.azs.filter(zones.contains)
      guard !common.isEmpty else {
        throw DroverError(
          .invalid,
          "Instance group '\(group.name)' declares static ip '\(address)' which belongs to AZ "
            + "'\(zones.joined(separator: "', '"))', but it is only in '\(group.azs.joined(separator: "', '"))'",
          number: 150007)
      }
      return common
    case .vip: return group.azs.isEmpty ? [nil] : group.azs
    case .dynamic, nil:
      throw DroverError(
        .invalid,
        "Instance group '\(group.name)' using dynamic network '\(network.name)' cannot define static IP(s)",
        number: 150008)
    }
  }
}
