import Formats
import Manifests

/// Gives out addresses of manual networks: never one that is taken or reserved, always the lowest, and to who has one
/// the same again (`reference/director.md C.4`).
struct AddressAllocator {
  /// Who has an address, by address.
  private var holders: [IPAddress: AddressRecord]
  private let directorAddresses: Set<IPAddress>
  /// What was given out and is not written down yet.
  private(set) var reservations: [AddressRecord] = []

  init(taken: [AddressRecord], directorAddresses: [IPAddress]) {
    holders = [:]
    for record in taken {
      if let address = try? IPAddress(record.address) { holders[address] = record }
    }
    self.directorAddresses = Set(directorAddresses)
  }

  /// All that nobody else may get.
  var taken: Set<IPAddress> { directorAddresses.union(holders.keys) }

  /// Takes this very address.
  ///
  /// - Throws: ``DroverError`` when it is not a static one of the network or somebody else has it.
  mutating func reserve(_ address: IPAddress, in network: Network, for holder: AddressRecord) throws {
    if case .manual(let subnets) = network.kind {
      guard let subnet = subnets.first(where: { $0.range.contains(address) }) else {
        throw DroverError(
          .invalid, "Failed to reserve IP '\(address)' for network '\(network.name)': it is in none of its subnets",
          number: 130012)
      }
      guard !subnet.reserved.contains(address), !directorAddresses.contains(address) else {
        throw DroverError(
          .invalid, "Failed to reserve IP '\(address)' for network '\(network.name)': IP belongs to reserved range",
          number: 130013)
      }
      guard subnet.staticAddresses.contains(address) else {
        throw DroverError(
          .invalid, "Failed to reserve IP '\(address)' for network '\(network.name)': IP belongs to dynamic pool",
          number: 130009)
      }
    }
    try take(address, holder)
  }

  private mutating func take(_ address: IPAddress, _ holder: AddressRecord) throws {
    if let other = holders[address] {
      guard other.holder == holder.holder else {
        throw DroverError(
          .conflict,
          "Failed to reserve IP '\(address)' for instance '\(holder.holder)' in network '\(holder.network)': already "
            + "reserved by '\(other.holder)' of deployment '\(other.deployment)'", number: 130008)
      }
      return
    }
    holders[address] = holder
    reservations.append(holder)
  }

  /// The address that the holder has already when it still fits, or the lowest that is free.
  ///
  /// - Parameter record: Who it is for; its address is filled in.
  /// - Throws: ``DroverError`` when the network has none left in that AZ.
  mutating func allocate(
    in network: String, subnets: [ManualSubnet], az: String?, current: IPAddress?, for record: AddressRecord
  ) throws -> IPAddress {
    let candidates = subnets.filter { $0.isIn(az) }
    if let current, candidates.contains(where: { $0.dynamicAddresses.contains(current) }),
      !directorAddresses.contains(current), holders[current].map({ $0.holder == record.holder }) ?? true
    {
      var record = record
      record.address = current.description
      try take(current, record)
      return current
    }
    let taken = taken
    for subnet in candidates {
      guard let address = subnet.dynamicAddresses.lowest(excluding: taken) else { continue }
      var record = record
      record.address = address.description
      try take(address, record)
      return address
    }
    throw DroverError(
      .conflict,
      "Failed to reserve IP for instance '\(record.holder)' in network '\(network)'"
        + "\(az.map { " (AZ '\($0)')" } ?? ""): no more available", number: 130011)
  }
}
