public import Formats

/// A deployment manifest brought to its present form (version 2), whatever it was written in.
///
/// Manifests of version 1, which have their networks, resource pools and compilation in them, are taken apart into a
/// manifest and a cloud config of the deployment's own (`reference/director.md B.9`); `errands` at the top, as the
/// proposal of errands writes them, become instance groups that are errands, in manifests of both versions.
public struct ManifestForm: Sendable, Hashable {
  /// The manifest with `instance_groups`.
  public let manifest: Value
  /// What stood in a manifest of version 1 and belongs into the cloud config; nil when nothing did.
  public let cloudConfig: Value?
  /// What was understood, a sentence for each key of version 1.
  public let warnings: [String]
  /// What `errands` at the top say of runs.
  public let errands: [ErrandPolicy]

  private static let cloudKeys = ["networks", "resource_pools", "disk_pools", "compilation"]
  private static let oldKeys = cloudKeys + ["jobs", "release"]

  /// - Throws: ``DroverError`` with code `invalid`, naming the place in the manifest.
  public init(_ document: Value) throws {
    guard let object = document.object else {
      throw DroverError(.invalid, "manifest: expected an object, found \(document.kindName)", number: 440001)
    }
    let reader = try FieldReader(document)
    let found = Self.oldKeys.filter { reader.value($0) != nil }
    let hasErrands = reader.value("errands") != nil
    guard !found.isEmpty || hasErrands else {
      (manifest, cloudConfig, warnings, errands) = (document, nil, [], [])
      return
    }
    if reader.value("instance_groups") != nil { try Self.refuseMixture(found) }
    let groups = try VersionOneGroups(reader)
    var result = ValueObject(object.filter { !Self.oldKeys.contains($0.key) && $0.key != "errands" }.map { ($0, $1) })
    if let release = reader.value("release") {
      guard reader.value("releases") == nil else {
        throw reader.error("release", "found besides 'releases'; expected only one of them")
      }
      result["releases"] = .array([release])
    }
    if !groups.stemcells.isEmpty {
      result["stemcells"] = .array((try reader.optionalArray("stemcells") ?? []) + groups.stemcells)
    }
    result["instance_groups"] = .array(
      (try reader.optionalArray("instance_groups") ?? []) + (try groups.services()) + (try groups.errands()))
    let policies = try reader.readers("errands").compactMap(ErrandPolicy.alone)
    if !policies.isEmpty { result["errands"] = .array(policies) }
    manifest = .object(result)
    cloudConfig = try Self.cloudConfig(reader, groups)
    warnings = found.map { Self.warning($0) }
    errands = try reader.readers("errands").map(ErrandPolicy.init)
    try reader.requireUnique(errands.map(\.name), in: "errands")
  }

  private static func refuseMixture(_ found: [String]) throws {
    let present: [String: (advice: String, number: Int?)] = [
      "jobs": ("it is 'instance_groups' now", 140023), "resource_pools": ("use 'vm_types' and 'stemcells'", 140024),
      "disk_pools": ("use 'disk_types' of the cloud config", 140025),
      "networks": ("networks belong into the cloud config", 140026),
      "compilation": ("compilation belongs into the cloud config", 140027), "release": ("use 'releases'", nil),
    ]
    guard let key = found.first, let (advice, number) = present[key] else { return }
    throw DroverError(
      .invalid, "\(key): this key of version 1 manifests can't stand beside 'instance_groups'; \(advice)",
      number: number)
  }

  private static func cloudConfig(_ reader: FieldReader, _ groups: VersionOneGroups) throws -> Value? {
    guard cloudKeys.contains(where: { reader.value($0) != nil }) else { return nil }
    let networks = try reader.array("networks")
    var config: ValueObject = ["networks": .array(networks), "vm_types": .array(groups.vmTypes)]
    if reader.value("disk_pools") != nil { config["disk_types"] = .array(try reader.array("disk_pools")) }
    config["compilation"] =
      reader.value("compilation") ?? ["workers": 1, "network": networks.first?["name"] ?? .null]
    return .object(config)
  }

  private static func warning(_ key: String) -> String {
    let present =
      switch key {
      case "jobs": "'instance_groups' with 'jobs'"
      case "resource_pools": "'vm_types' of the cloud config, 'stemcells', and 'env' of instance groups"
      case "disk_pools": "'disk_types' of the cloud config"
      case "release": "'releases'"
      default: "'\(key)' of the cloud config"
      }
    return
      "'\(key)' is a key of version 1 manifests, and is taken as \(present); 'drover translate-manifest' writes the "
      + "manifest in its present form"
  }
}
