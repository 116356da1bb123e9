import Formats

extension InstanceGroup {
  /// - Throws: ``DroverError`` with code `invalid`; `update` is the deployment's policy.
  init(_ reader: FieldReader, update base: UpdatePolicy) throws {
    for (key, advice) in [
      ("template", "use 'jobs'"), ("templates", "use 'jobs'"), ("resource_pool", "use 'vm_type' and 'stemcell'"),
      ("persistent_disk_pool", "use 'persistent_disk_type'"),
    ] where reader.object[key] != nil {
      throw DroverError(
        .invalid, "\(reader.place(key)): this key of version 1 manifests is not supported any more; \(advice)",
        number: 140010)
    }
    name = try reader.identifier("name")
    lifecycle = try reader.optionalChoice("lifecycle") ?? .service
    guard let instances = try reader.optionalCount("instances") else {
      throw reader.error("instances", "missing; expected an integer")
    }
    guard instances <= 10_000 else { throw reader.error("instances", "expected at most 10000, found \(instances)") }
    self.instances = instances
    azs = try reader.strings("azs")
    try reader.requireUnique(azs, in: "azs")
    jobs = try reader.readers("jobs").map(JobReference.init)
    try reader.requireUnique(jobs.map(\.name), in: "jobs", number: 140010)
    vm = try Self.vmRequest(reader)
    vmExtensions = try reader.strings("vm_extensions")
    guard let stemcell = try reader.optionalScalarText("stemcell") else {
      throw reader.error("stemcell", "missing; expected the alias of a stemcell of this manifest")
    }
    self.stemcell = stemcell
    (persistentDisk, persistentDisks) = try Self.disks(reader)
    networks = try reader.readers("networks").map(GroupNetwork.init)
    guard !networks.isEmpty else {
      throw DroverError(
        .invalid, "\(reader.place("networks")): missing; expected at least one network", number: 140009)
    }
    try reader.requireUnique(networks.map(\.name), in: "networks")
    networks = try Self.withDefaults(networks, reader)
    update = try reader.optionalReader("update").map { try UpdatePolicy($0, base: base) } ?? base
    migratedFrom = try reader.readers("migrated_from").map {
      Migration(name: try $0.identifier("name"), az: try $0.optionalString("az"))
    }
    env = try reader.optionalObject("env") ?? [:]
    tags = try reader.texts("tags")
    properties = try reader.optionalObject("properties") ?? [:]
    for network in networks {
      guard let addresses = network.staticAddresses, addresses.count != instances else { continue }
      throw DroverError(
        .invalid,
        "\(reader.place("networks")): network '\(network.name)' has \(addresses.count) static addresses for "
          + "\(instances) instances; there must be as many as instances", number: 150002)
    }
  }

  private static func vmRequest(_ reader: FieldReader) throws -> VMRequest {
    let type = try reader.optionalScalarText("vm_type")
    guard let resources = try reader.optionalReader("vm_resources") else {
      guard let type else {
        throw DroverError(
          .invalid, "\(reader.place("vm_type")): missing; expected exactly one of 'vm_type' and 'vm_resources'",
          number: 190019)
      }
      return .type(type)
    }
    guard type == nil else {
      throw DroverError(
        .invalid, "\(reader.place("vm_type")): found both 'vm_type' and 'vm_resources'; expected exactly one of them",
        number: 190019)
    }
    func size(_ name: String) throws -> Int {
      guard let size = try resources.optionalCount(name) else {
        throw resources.error(name, "missing; expected an integer")
      }
      return size
    }
    return .resources(
      cpu: try size("cpu"), memory: try size("ram"), ephemeralDisk: try size("ephemeral_disk_size"))
  }

  private static func disks(_ reader: FieldReader) throws -> (DiskRequest?, [NamedDisk]) {
    let size = try reader.optionalCount("persistent_disk")
    let type = try reader.optionalScalarText("persistent_disk_type")
    let named = try reader.readers("persistent_disks").map {
      NamedDisk(name: try $0.identifier("name"), type: try $0.string("type"))
    }
    try reader.requireUnique(named.map(\.name), in: "persistent_disks", number: 140013)
    guard [size != nil, type != nil, !named.isEmpty].filter({ $0 }).count <= 1 else {
      throw DroverError(
        .invalid,
        "\(reader.place("persistent_disk")): expected at most one of 'persistent_disk', 'persistent_disk_type' and "
          + "'persistent_disks'", number: 140013)
    }
    if let type { return (.type(type), []) }
    if let size, size > 0 { return (.size(size), []) }
    return (nil, named)
  }

  /// The only network is the default for everything; of several each of dns and gateway belongs to exactly one.
  private static func withDefaults(_ networks: [GroupNetwork], _ reader: FieldReader) throws -> [GroupNetwork] {
    var networks = networks
    if networks.count == 1 {
      networks[0].defaults.formUnion([.dns, .gateway])
      return networks
    }
    for item in GroupNetwork.Default.allCases {
      let claimed = networks.filter { $0.defaults.contains(item) }.map(\.name)
      if claimed.count > 1 {
        throw DroverError(
          .invalid,
          "\(reader.place("networks")): default '\(item.rawValue)' is claimed by \(claimed.joined(separator: ", ")); "
            + "only one network can have it", number: 150004)
      }
      if claimed.isEmpty, item != .addressable {
        throw DroverError(
          .invalid,
          "\(reader.place("networks")): with several networks, one must have 'default: [\(item.rawValue)]'",
          number: 150005)
      }
    }
    return networks
  }
}

extension GroupNetwork {
  /// More static addresses than any group can have instances are refused before they are listed.
  private static let mostStaticAddresses: UInt128 = 10_000

  init(_ reader: FieldReader) throws {
    name = try reader.identifier("name")
    if reader.value("static_ips") != nil {
      var addresses: [IPAddress] = []
      for (index, text) in try reader.addressTexts("static_ips").enumerated() {
        let range = AddressSet([try reader.addressRange(text, "static_ips[\(index)]")])
        guard range.count + UInt128(addresses.count) <= Self.mostStaticAddresses else {
          throw reader.error("static_ips", "expected at most \(Self.mostStaticAddresses) addresses")
        }
        addresses += range.addresses
      }
      try reader.requireUnique(addresses.map(\.description), in: "static_ips", number: 150009)
      staticAddresses = addresses
    } else {
      staticAddresses = nil
    }
    defaults = try Set(
      reader.strings("default").map { text in
        guard let item = Default(rawValue: text) else {
          let allowed = Default.allCases.map { "'\($0.rawValue)'" }.joined(separator: ", ")
          throw DroverError(
            .invalid, "\(reader.place("default")): expected any of \(allowed), found '\(text)'", number: 150003)
        }
        return item
      })
    nicGroup = try reader.optionalScalarText("nic_group")
  }
}

extension FieldReader {
  /// A list of address ranges, or a single one.
  func addressTexts(_ field: String) throws -> [String] {
    if let text = value(field)?.string { return [text] }
    return try strings(field)
  }

  func addressRange(_ text: String, _ field: String) throws -> AddressRange {
    do { return try AddressRange(text) } catch let error as DroverError {
      throw DroverError(error.code, "\(place(field)): \(error.message)", number: error.number)
    }
  }
}
