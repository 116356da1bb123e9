public import Formats

extension DeploymentManifest {
  /// Reads a manifest, of any version (see ``ManifestForm``), whose `((variables))` have been filled in where it matters: properties and env may still have them.
  ///
  /// - Throws: ``DroverError`` with code `invalid`, naming the field, what was found and what is allowed; with BOSH's
  ///   number where the API has one.
  public init(_ document: Value) throws {
    let form = try ManifestForm(document)
    ownCloudConfig = try form.cloudConfig.map { try CloudConfig([$0]) }
    warnings = form.warnings
    errands = form.errands
    let reader = try FieldReader(form.manifest)
    try Self.refuseCloudConfigKeys(reader)
    name = try reader.identifier("name")
    releases = try reader.readers("releases").map(ReleaseReference.init)
    try reader.requireUnique(releases.map(\.name), in: "releases", number: 190002)
    stemcells = try reader.readers("stemcells").map(StemcellReference.init)
    try reader.requireUnique(stemcells.map(\.alias), in: "stemcells", number: 50005)
    let update = try UpdatePolicy(reader.reader("update"))
    self.update = update
    instanceGroups = try reader.readers("instance_groups").map { try InstanceGroup($0, update: update) }
    try reader.requireUnique(instanceGroups.map(\.name), in: "instance_groups", number: 190006)
    try reader.requireUnique(instanceGroups.map { canonicalName($0.name) }, in: "instance_groups", number: 190006)
    addons = try reader.readers("addons").map { try Addon($0, inRuntimeConfig: false) }
    try reader.requireUnique(addons.map(\.name), in: "addons")
    variables = try reader.readers("variables").map(VariableDefinition.init)
    try reader.requireUnique(variables.map(\.name), in: "variables", number: 560000)
    features = try reader.optionalReader("features").map(DeploymentFeatures.init) ?? DeploymentFeatures()
    tags = try reader.texts("tags")
    properties = try reader.optionalObject("properties") ?? [:]
  }

  private static func refuseCloudConfigKeys(_ reader: FieldReader) throws {
    for key in ["azs", "vm_types", "vm_extensions", "disk_types"] where reader.object[key] != nil {
      throw DroverError(
        .invalid, "\(key): not allowed in a deployment manifest; it belongs into the cloud config", number: 140028)
    }
  }
}

extension ReleaseReference {
  init(_ reader: FieldReader) throws {
    name = try reader.identifier("name")
    guard let version = try reader.optionalScalarText("version") else {
      throw reader.error("version", "missing; expected a version or 'latest'")
    }
    self.version = VersionRequest(version)
    url = try reader.optionalString("url")
    exportedFrom = try reader.readers("exported_from").map { stemcell in
      guard let version = try stemcell.optionalScalarText("version") else {
        throw stemcell.error("version", "missing; expected a stemcell version")
      }
      return "\(try stemcell.string("os"))/\(version)"
    }
  }
}

extension StemcellReference {
  init(_ reader: FieldReader) throws {
    alias = try reader.identifier("alias")
    guard let version = try reader.optionalScalarText("version") else {
      throw reader.error("version", "missing; expected a version or 'latest'")
    }
    self.version = VersionRequest(version)
    switch (try reader.optionalString("os"), try reader.optionalString("name")) {
    case (let system?, nil): selector = .operatingSystem(system)
    case (nil, let name?): selector = .name(name)
    case (nil, nil): throw reader.error("os", "missing; expected exactly one of 'os' and 'name'")
    case (.some, .some):
      throw DroverError(
        .invalid, "\(reader.place("os")): found both 'os' and 'name'; expected exactly one of them", number: 50006)
    }
  }
}

extension DeploymentFeatures {
  init(_ reader: FieldReader) throws {
    func flag(_ name: String) throws -> Bool? {
      guard let value = reader.value(name) else { return nil }
      guard let flag = value.bool else {
        throw DroverError(
          .invalid, "\(reader.place(name)): expected true or false, found \(value.kindName)", number: 560001)
      }
      return flag
    }
    useDNSAddresses = try flag("use_dns_addresses")
    useShortDNSAddresses = try flag("use_short_dns_addresses")
    useLinkDNSNames = try flag("use_link_dns_names")
    randomizeAZPlacement = try flag("randomize_az_placement")
    convergeVariables = try flag("converge_variables")
    useTmpfsConfig = try flag("use_tmpfs_config")
  }
}

extension VariableDefinition {
  /// Those of a manifest or runtime config, before any variable in it was filled in.
  public static func all(in document: Value) throws -> [VariableDefinition] {
    try FieldReader(document).readers("variables").map(VariableDefinition.init)
  }

  init(_ reader: FieldReader) throws {
    name = try reader.string("name")
    type = try reader.string("type")
    options = reader.value("options") ?? .null
    updateMode = try reader.optionalChoice("update_mode")
    updateStrategy = try reader.optionalReader("update")?.optionalChoice("strategy") ?? .onDeploy
    consumes = try reader.optionalObject("consumes") ?? [:]
  }
}

/// A name as DNS has it: lower case, underscores as dashes, other characters dropped (`reference/director.md F.2`).
public func canonicalName(_ name: String) -> String {
  var canonical = ""
  for scalar in name.lowercased().unicodeScalars {
    switch scalar {
    case "a"..."z", "0"..."9", "-": canonical.unicodeScalars.append(scalar)
    case "_": canonical.append("-")
    default: break
    }
  }
  return canonical
}
