public import AgentProtocol
public import Formats
public import Manifests
import Releases

extension ResolvedDeployment {
  /// The `env` that a VM is made with, as far as the deployment decides it: that of the group, with `env.bosh.group`,
  /// `groups` and `tags` (`reference/director.md C.9`).
  public func environment(of instance: ResolvedInstance) -> ValueObject {
    environment(instance.group, group(instance.group)?.env ?? [:], tags: group(instance.group)?.tags ?? [:])
  }

  /// The same for a compilation VM, whose group is named so.
  public func compilationEnvironment(group: String) -> ValueObject { environment(group, compilation.env, tags: [:]) }

  private func environment(_ group: String, _ env: ValueObject, tags: [String: String]) -> ValueObject {
    var env = env
    var bosh = env["bosh"]?.object ?? [:]
    let parts = [directorName, name, group].map(canonicalName)
    bosh["group"] = .string(parts.joined(separator: "-"))
    bosh["groups"] = Value(
      parts + [parts[0...1].joined(separator: "-"), parts[1...2].joined(separator: "-"), parts.joined(separator: "-")])
    if !tags.isEmpty { bosh["tags"] = Self.object(tags) }
    env["bosh"] = .object(bosh)
    return env
  }

  /// What `set_vm_metadata` is told, without `created_at`, which the executor knows.
  public func metadata(of instance: ResolvedInstance) -> ValueObject {
    let tags = Self.object(group(instance.group)?.tags ?? [:]).object ?? [:]
    return tags.merging([
      "director": .string(directorName), "deployment": .string(name), "id": .string(instance.id),
      "job": .string(instance.group), "instance_group": .string(instance.group),
      "index": .string(String(instance.index)), "name": .string("\(instance.group)/\(instance.id)"),
    ])
  }

  private static func object(_ texts: [String: String]) -> Value {
    .object(ValueObject(texts.sorted { $0.key < $1.key }.map { ($0.key, Value.string($0.value)) }))
  }

  /// The spec that says who an instance is, and nothing to run.
  public func identitySpec(of instance: ResolvedInstance) -> ApplySpec {
    ApplySpec(
      deployment: name, name: instance.group, id: instance.id, index: instance.index, az: instance.az ?? "",
      job: ApplySpec.Job(name: instance.group), networks: instance.networks)
  }

  /// The full apply spec (`reference/director.md C.6`).
  ///
  /// - Parameters:
  ///   - archive: The rendered templates in the blobstore.
  ///   - compiled: By key.
  ///   - networks: Settings that the agent has told, for dynamic networks.
  /// - Throws: ``DroverError`` when a package is not compiled.
  public func applySpec(
    of instance: ResolvedInstance, rendered: RenderedInstance, archive: ApplySpec.RenderedTemplatesArchive,
    compiled: [String: CompiledPackageRecord], networks: ValueObject? = nil
  ) throws -> ApplySpec {
    var spec = identitySpec(of: instance)
    let group = group(instance.group)
    let templates = (group?.jobs ?? []).map { job in
      ApplySpec.Template(
        name: job.name, version: job.record.fingerprint, sha1: job.record.digest, blobstoreID: job.record.blobID,
        isErrand: job.kind == .errand)
    }
    spec.job = ApplySpec.Job(
      name: instance.group, release: group?.jobs.first?.release ?? "", template: templates.first?.name ?? "",
      version: templates.first?.version ?? "", templates: templates)
    spec.packages = try runTimePackages(of: instance).map { try Self.package($0, compiled) }
    if let networks { spec.networks = instance.networks.merging(networks) }
    spec.persistentDisk = group?.disk?.size ?? 0
    spec.configurationHash = rendered.configurationHash
    spec.renderedTemplatesArchive = archive
    return spec
  }

  /// What `compile_package` is told of the packages that the target depends on, of all levels, by name.
  ///
  /// - Throws: ``DroverError`` when one of them is not compiled.
  public func compilationDependencies(
    of target: CompilationTarget, compiled: [String: CompiledPackageRecord]
  ) throws -> [ApplySpec.Package] {
    try target.transitiveDependencies.map { key in
      guard let dependency = packages.target(key) else {
        throw DroverError(.failed, "compiling \(target.label): dependency \(key) is not part of deployment '\(name)'")
      }
      return try Self.package(dependency, compiled)
    }
  }

  private static func package(
    _ target: CompilationTarget, _ compiled: [String: CompiledPackageRecord]
  ) throws -> ApplySpec.Package {
    guard let record = compiled[target.key] else {
      throw DroverError(
        .failed, "package \(target.label) is not compiled for stemcell \(target.stemcell)", number: 430003)
    }
    return ApplySpec.Package(
      name: target.package.name, version: "\(target.package.fingerprint).1", sha1: record.digest,
      blobstoreID: record.blobID)
  }
}

extension CompilationSite {
  /// The lowest address for a compilation VM that is not taken; nil when there is none or the cloud picks one.
  ///
  /// - Parameter excluding: Addresses of other compilation VMs.
  public func nextAddress(excluding: Set<IPAddress>) -> IPAddress? {
    guard case .manual(let subnets) = network.kind else { return nil }
    let taken = takenAddresses.union(excluding).union(directorAddresses)
    for subnet in subnets where subnet.isIn(az) {
      if let address = subnet.dynamicAddresses.lowest(excluding: taken) { return address }
    }
    return nil
  }

  /// Network settings of a compilation VM, by network name; without address for a dynamic network.
  ///
  /// - Throws: ``DroverError`` when the network has no subnet for it.
  public func networks(address: IPAddress?) throws -> ValueObject {
    let settings: ValueObject?
    switch network.kind {
    case .manual(let subnets):
      settings = address.flatMap { address in
        subnets.first { $0.range.contains(address) }.map { NetworkSettingsBuilder.manual($0, address) }
      }
    case .dynamic(let subnets): settings = subnets.first { $0.isIn(az) }.map(NetworkSettingsBuilder.dynamic)
    case .vip: settings = nil
    }
    guard let settings else {
      throw DroverError(
        .conflict, "compilation: network '\(network.name)' has no address left for a compilation VM", number: 130011)
    }
    return [
      network.name: .object(
        NetworkSettingsBuilder.with(settings, defaults: [.dns, .gateway], nicGroup: nil))
    ]
  }
}
