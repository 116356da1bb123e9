import Formats
import Manifests

extension DeploymentInputs {
  /// Looks every name up, places instances and addresses, resolves links.
  ///
  /// - Throws: ``DroverError`` with code `invalid` whose message lists everything that does not fit.
  public func resolve() throws -> ResolvedDeployment {
    var resolver = Resolver(self)
    return try resolver.resolve()
  }
}

/// The way from names to records; see ``DeploymentInputs/resolve()``. Stage by stage, and each stage names all that is
/// wrong in it.
struct Resolver {
  let inputs: DeploymentInputs
  let problems = Problems()
  var releases: [ReleaseRecord] = []
  var stemcells: [String: StemcellRecord] = [:]
  /// Groups of the manifest, with the jobs of addons.
  var groups: [InstanceGroup] = []
  var jobs: [JobKey: ResolvedJob] = [:]

  struct JobKey: Hashable {
    var group: String
    var job: String
  }

  init(_ inputs: DeploymentInputs) { self.inputs = inputs }

  var manifest: DeploymentManifest { inputs.manifest }
  var cloudConfig: CloudConfig { inputs.cloudConfig }

  mutating func resolve() throws -> ResolvedDeployment {
    for (name, text) in [("canaries", inputs.options.canaries), ("max_in_flight", inputs.options.maxInFlight)] {
      guard let text, (try? Amount(text)) == nil else { continue }
      problems.add("\(name): expected a number or a percentage such as 30%, found '\(text)'", number: 40000)
    }
    resolveReleases()
    resolveStemcells()
    try check()
    applyAddons()
    try check()
    for group in groups { checkGroup(group) }
    try check()
    var allocator = AddressAllocator(taken: inputs.addresses, directorAddresses: inputs.directorAddresses)
    var resolved: [ResolvedGroup] = []
    var obsolete: [InstanceRecord] = inputs.instances
    for group in groups {
      let placed = problems.collect { try place(group) }
      guard let placed else { continue }
      let ids = Set(placed.compactMap(\.existing?.id))
      obsolete.removeAll { ids.contains($0.id) }
      if let group = resolveGroup(group, placed, &allocator) { resolved.append(group) }
    }
    try check()
    var links = LinkResolver(deployment: manifest, domain: inputs.domain, groups: groups, resolved: resolved)
    for index in resolved.indices { resolved[index].jobs = links.resolve(resolved[index]) }
    try links.check()
    var packages = CompilationGraphBuilder()
    for group in resolved { problems.collect { try packages.add(group, releases: releases) } }
    try check()
    return ResolvedDeployment(
      name: manifest.name, directorName: inputs.directorName, releases: releases, stemcells: stemcells,
      groups: resolved, obsolete: obsolete.sorted { ($0.group, $0.index) < ($1.group, $1.index) },
      reservations: allocator.reservations, releasedAddresses: releasedAddresses(resolved),
      compilation: try compilationSite(allocator), packages: packages.graph, options: inputs.options)
  }

  private func check() throws { try problems.throwIfAny("Deployment '\(manifest.name)' does not fit together:") }

  /// What instances that stay have now and will not have any more.
  private func releasedAddresses(_ groups: [ResolvedGroup]) -> [AddressRecord] {
    let instances = groups.flatMap(\.instances)
    let holders = Dictionary(
      instances.compactMap { instance in instance.current.map { ($0.documentName, instance) } },
      uniquingKeysWith: { first, _ in first })
    return inputs.addresses.filter { record in
      guard record.deployment == manifest.name, let instance = holders[record.holder] else { return false }
      return !instance.addresses.values.contains(record.address)
    }
  }
}
