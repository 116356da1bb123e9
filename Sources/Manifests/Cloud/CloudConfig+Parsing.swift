public import Formats

extension CloudConfig {
  /// Reads the documents of all named cloud configs, put together: lists one after the other, names unique, one
  /// `compilation`.
  ///
  /// - Throws: ``DroverError`` with code `invalid`.
  public init(_ documents: [Value]) throws {
    var azs: [AvailabilityZone] = []
    var vmTypes: [VMType] = []
    var vmExtensions: [VMType] = []
    var diskTypes: [DiskType] = []
    var networks: [FieldReader] = []
    var compilations: [FieldReader] = []
    for document in documents where !document.isNull {
      let reader = try FieldReader(document)
      azs += try reader.readers("azs").map(AvailabilityZone.init)
      vmTypes += try reader.readers("vm_types").map(VMType.init)
      vmExtensions += try reader.readers("vm_extensions").map(VMType.init)
      diskTypes += try reader.readers("disk_types").map(DiskType.init)
      networks += try reader.readers("networks")
      if let compilation = try reader.optionalReader("compilation") { compilations.append(compilation) }
    }
    let top = try FieldReader([:])
    try top.requireUnique(azs.map(\.name), in: "azs", number: 190017)
    try top.requireUnique(vmTypes.map(\.name), in: "vm_types", number: 190004)
    try top.requireUnique(vmExtensions.map(\.name), in: "vm_extensions", number: 190005)
    try top.requireUnique(diskTypes.map(\.name), in: "disk_types", number: 190013)
    guard !networks.isEmpty else {
      throw DroverError(.invalid, "networks: missing; a cloud config needs at least one network", number: 190008)
    }
    let known = Set(azs.map(\.name))
    self.networks = try networks.map { try Network($0, azs: known) }
    try top.requireUnique(self.networks.map { canonicalName($0.name) }, in: "networks", number: 190007)
    guard compilations.count < 2 else {
      throw DroverError(.invalid, "compilation: found in \(compilations.count) cloud configs; only one may have it")
    }
    guard let compilation = compilations.first else {
      throw DroverError(.invalid, "compilation: missing; a cloud config must say where packages are compiled")
    }
    self.compilation = try CompilationSettings(compilation)
    self.azs = azs
    self.vmTypes = vmTypes
    self.vmExtensions = vmExtensions
    self.diskTypes = diskTypes
    try checkCompilation()
  }

  private func checkCompilation() throws {
    guard let network = network(compilation.network) else {
      throw DroverError(
        .invalid, "compilation.network: there is no network '\(compilation.network)'", number: 120001)
    }
    if case .vip = network.kind {
      throw DroverError(.invalid, "compilation.network: a vip network cannot be compiled in", number: 120001)
    }
    if let name = compilation.az, az(name) == nil {
      throw DroverError(.invalid, "compilation.az: there is no AZ '\(name)'", number: 120002)
    }
    if let zones = network.azs {
      guard let name = compilation.az, zones.contains(name) else {
        throw DroverError(
          .invalid,
          "compilation.az: network '\(network.name)' has no subnet in \(compilation.az.map { "AZ '\($0)'" } ?? "no AZ"); "
            + "expected one of \(zones.sorted().joined(separator: ", "))", number: 120002)
      }
    }
    if case .request(.type(let name)) = compilation.vm, vmType(name) == nil {
      throw DroverError(.invalid, "compilation.vm_type: there is no VM type '\(name)'", number: 120003)
    }
    for name in compilation.vmExtensions where vmExtension(name) == nil {
      throw DroverError(.invalid, "compilation.vm_extensions: there is no VM extension '\(name)'", number: 120005)
    }
  }
}

extension AvailabilityZone {
  init(_ reader: FieldReader) throws {
    name = try reader.identifier("name")
    cloudProperties = try reader.optionalObject("cloud_properties") ?? [:]
    cpi = try reader.optionalString("cpi")
  }
}

extension VMType {
  init(_ reader: FieldReader) throws {
    name = try reader.identifier("name")
    cloudProperties = try reader.optionalObject("cloud_properties") ?? [:]
  }
}

extension DiskType {
  init(_ reader: FieldReader) throws {
    name = try reader.identifier("name")
    guard let size = try reader.optionalCount("disk_size") else {
      throw reader.error("disk_size", "missing; expected a size in MB")
    }
    self.size = size
    cloudProperties = try reader.optionalObject("cloud_properties") ?? [:]
  }
}

extension CompilationSettings {
  init(_ reader: FieldReader) throws {
    guard let workers = try reader.optionalCount("workers") else {
      throw reader.error("workers", "missing; expected an integer")
    }
    guard (1...1000).contains(workers) else {
      throw reader.error("workers", "expected an integer from 1 to 1000, found \(workers)")
    }
    self.workers = workers
    network = try reader.identifier("network")
    az = try reader.optionalScalarText("az")
    reuseVMs = try reader.optionalBool("reuse_compilation_vms") ?? false
    vmExtensions = try reader.strings("vm_extensions")
    env = try reader.optionalObject("env") ?? [:]
    let properties = try reader.optionalObject("cloud_properties")
    let type = try reader.optionalScalarText("vm_type")
    let resources = try reader.optionalReader("vm_resources")
    guard [properties != nil, type != nil, resources != nil].filter({ $0 }).count <= 1 else {
      throw DroverError(
        .invalid,
        "\(reader.place("vm_type")): expected at most one of 'vm_type', 'vm_resources' and 'cloud_properties'",
        number: 120004)
    }
    if let type {
      vm = .request(.type(type))
    } else if let resources {
      vm = .request(
        .resources(
          cpu: try resources.int("cpu"), memory: try resources.int("ram"),
          ephemeralDisk: try resources.int("ephemeral_disk_size")))
    } else {
      vm = .cloudProperties(properties ?? [:])
    }
  }
}
