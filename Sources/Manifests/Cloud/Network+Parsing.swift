import Formats

extension Network {
  private enum TypeWord: String, CaseIterable { case manual, dynamic, vip }

  /// - Throws: ``DroverError`` with code `invalid`; `azs` are the names of those that exist.
  init(_ reader: FieldReader, azs: Set<String>) throws {
    name = try reader.identifier("name")
    managed = try reader.optionalBool("managed") ?? false
    let type: TypeWord = try reader.optionalChoice("type") ?? .manual
    switch type {
    case .manual: kind = .manual(try Self.manualSubnets(reader, azs))
    case .dynamic: kind = .dynamic(try Self.dynamicSubnets(reader, azs))
    case .vip:
      kind = .vip(
        cloudProperties: try reader.optionalObject("cloud_properties") ?? [:],
        subnets: try reader.readers("subnets").map { subnet in
          VIPSubnet(staticAddresses: try subnet.addressSet("static"), azs: try subnet.zones(azs))
        })
    }
  }

  private static func manualSubnets(_ reader: FieldReader, _ azs: Set<String>) throws -> [ManualSubnet] {
    let readers = try reader.readers("subnets")
    guard !readers.isEmpty else { throw reader.error("subnets", "missing; a manual network needs at least one") }
    let subnets = try readers.map { try ManualSubnet($0, azs: azs) }
    try requireAllOrNone(subnets.map { $0.azs != nil }, reader)
    for (index, subnet) in subnets.enumerated() {
      if let other = subnets[..<index].first(where: { $0.range.overlaps(subnet.range) }) {
        throw DroverError(
          .invalid,
          "\(readers[index].place("range")): \(subnet.range) overlaps \(other.range) of the same network",
          number: 160001)
      }
    }
    guard Set(subnets.map(\.prefix)).count <= 1 else {
      throw DroverError(
        .invalid, "\(reader.place("subnets")): all subnets of a network must have the same 'prefix'", number: 160008)
    }
    return subnets
  }

  private static func dynamicSubnets(_ reader: FieldReader, _ azs: Set<String>) throws -> [DynamicSubnet] {
    guard reader.value("subnets") != nil else { return [try DynamicSubnet(reader, azs: azs)] }
    if let key = ["dns", "cloud_properties", "az", "azs"].first(where: { reader.value($0) != nil }) {
      throw DroverError(
        .invalid, "\(reader.place(key)): not allowed beside 'subnets'; it belongs into each of them", number: 160008)
    }
    let subnets = try reader.readers("subnets").map { try DynamicSubnet($0, azs: azs) }
    try requireAllOrNone(subnets.map { $0.azs != nil }, reader)
    return subnets
  }

  private static func requireAllOrNone(_ zoned: [Bool], _ reader: FieldReader) throws {
    guard Set(zoned).count <= 1 else {
      throw DroverError(
        .invalid, "\(reader.place("subnets")): either all subnets or none must say which AZ they are in",
        number: 160009)
    }
  }
}

extension ManualSubnet {
  init(_ reader: FieldReader, azs known: Set<String>) throws {
    name = try reader.optionalString("name")
    let range = try reader.locating("range") { try CIDRBlock($0) }
    guard let range else { throw reader.error("range", "missing; expected a network such as 10.0.0.0/24") }
    self.range = range
    let gateway = try reader.locating("gateway") { try IPAddress($0) }
    self.gateway = gateway
    dns = try reader.nameservers()
    azs = try reader.zones(known)
    cloudProperties = try reader.optionalObject("cloud_properties") ?? [:]
    prefix = try reader.optionalCount("prefix")
    let ends = Self.ends(of: range)
    if let gateway {
      guard range.contains(gateway), !ends.contains(gateway) else {
        throw DroverError(
          .invalid,
          "\(reader.place("gateway")): \(gateway) must be in \(range) and neither its first nor its last address",
          number: 160003)
      }
    }
    let configured = try reader.addressSet("reserved")
    if let outside = configured.ranges.first(where: { !range.range.contains($0) }) {
      throw DroverError(
        .invalid, "\(reader.place("reserved")): \(outside) is outside of \(range)", number: 160005)
    }
    let reserved = configured.union(AddressSet(ends + (gateway.map { [$0] } ?? [])))
    self.reserved = reserved
    let statics = try reader.addressSet("static")
    for item in statics.ranges {
      guard range.range.contains(item) else {
        throw DroverError(.invalid, "\(reader.place("static")): \(item) is outside of \(range)", number: 160006)
      }
      if let taken = reserved.ranges.first(where: { $0.overlaps(item) }) {
        throw DroverError(
          .invalid, "\(reader.place("static")): \(item) is in the reserved range \(taken)", number: 160006)
      }
    }
    staticAddresses = statics
  }

  /// The network's own and its broadcast address, where a network has these.
  private static func ends(of range: CIDRBlock) -> [IPAddress] {
    range.network.family.width - range.prefix >= 2 ? [range.network, range.broadcast] : []
  }
}

extension DynamicSubnet {
  init(_ reader: FieldReader, azs known: Set<String>) throws {
    dns = try reader.nameservers()
    azs = try reader.zones(known)
    cloudProperties = try reader.optionalObject("cloud_properties") ?? [:]
  }
}

extension FieldReader {
  /// A member read from text, with the field's name in front of an error.
  fileprivate func locating<T>(_ field: String, _ read: (String) throws -> T) throws -> T? {
    guard let text = try optionalString(field) else { return nil }
    do { return try read(text) } catch let error as DroverError {
      throw DroverError(error.code, "\(place(field)): \(error.message)", number: error.number)
    }
  }

  fileprivate func addressSet(_ field: String) throws -> AddressSet {
    AddressSet(
      try addressTexts(field).enumerated().map { index, text in try addressRange(text, "\(field)[\(index)]") })
  }

  fileprivate func nameservers() throws -> [String] {
    try strings("dns").enumerated().map { index, text in
      do { return try IPAddress(text).description } catch let error as DroverError {
        throw DroverError(error.code, "\(place("dns"))[\(index)]: \(error.message)", number: 160004)
      }
    }
  }

  /// `az` or `azs`; nil when neither is there.
  fileprivate func zones(_ known: Set<String>) throws -> [String]? {
    let one = try optionalScalarText("az")
    let several = value("azs") == nil ? nil : try strings("azs")
    guard one == nil || several == nil else {
      throw DroverError(
        .invalid, "\(place("az")): found both 'az' and 'azs'; expected one of them", number: 160009)
    }
    guard let zones = several ?? one.map({ [$0] }) else { return nil }
    guard !zones.isEmpty else {
      throw DroverError(.invalid, "\(place("azs")): empty; expected at least one AZ", number: 160009)
    }
    for zone in zones where !known.contains(zone) {
      throw DroverError(.invalid, "\(place("azs")): there is no AZ '\(zone)'", number: 160007)
    }
    return zones
  }
}
