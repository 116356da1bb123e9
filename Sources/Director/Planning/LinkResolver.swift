import Formats
import Manifests
import Releases
import Templates

/// Who provides what to whom (`reference/director.md B.6`).
struct LinkResolver {
  private let manifest: DeploymentManifest
  private let domain: String
  private let groups: [InstanceGroup]
  private let resolved: [ResolvedGroup]
  private var providers: [Provider] = []
  private var errors: [String] = []

  private struct Provider {
    var group: String
    var job: String
    var name: String
    var alias: String
    var type: String
    var properties: ValueObject

    func label(_ deployment: String) -> String {
      "Link provider '\(name)'\(alias == name ? "" : " with alias '\(alias)'") from job '\(job)' in instance group "
        + "'\(group)' in deployment '\(deployment)'"
    }
  }

  init(deployment: DeploymentManifest, domain: String, groups: [InstanceGroup], resolved: [ResolvedGroup]) {
    manifest = deployment
    self.domain = domain
    self.groups = groups
    self.resolved = resolved
    for group in resolved {
      for job in group.jobs { addProviders(of: job, in: group.name) }
    }
  }

  private func reference(_ job: String, in group: String) -> JobReference? {
    groups.first { $0.name == group }?.jobs.first { $0.name == job }
  }

  private mutating func addProviders(of job: ResolvedJob, in group: String) {
    guard let reference = reference(job.name, in: group) else { return }
    let custom = reference.customProviders.map {
      JobSpec.Provided(name: $0.name, type: $0.type, properties: $0.properties)
    }
    for item in custom where job.spec.provides.contains(where: { $0.name == item.name }) {
      errors.append(
        "Custom provider '\(item.name)' in job '\(job.name)' in instance group '\(group)' is already defined in the "
          + "release")
    }
    let offered = job.spec.provides + custom
    for name in reference.provides.keys.sorted() where !offered.contains(where: { $0.name == name }) {
      errors.append(
        "Job '\(job.name)' in instance group '\(group)' does not define link provider '\(name)' in the release spec")
    }
    for link in offered {
      var alias = link.name
      switch reference.provides[link.name] {
      case .blocked: continue
      case .settings(let settings): alias = settings.alias ?? link.name
      case nil: break
      }
      providers.append(
        Provider(
          group: group, job: job.name, name: link.name, alias: alias, type: link.type,
          properties: exposed(link, of: job, in: group)))
    }
  }

  private mutating func exposed(_ link: JobSpec.Provided, of job: ResolvedJob, in group: String) -> ValueObject {
    let declared = Set(job.spec.properties.map(\.name))
    for name in link.properties where !declared.contains(name) {
      errors.append(
        "Link property \(name) in template \(job.name) is not defined in release spec (link '\(link.name)' in instance "
          + "group '\(group)')")
    }
    return (try? JobSpec.select(link.properties, from: job.properties.object ?? [:])) ?? [:]
  }

  /// The jobs of the group with their links filled in.
  mutating func resolve(_ group: ResolvedGroup) -> [ResolvedJob] {
    var jobs = group.jobs
    for index in jobs.indices { resolve(&jobs[index], in: group) }
    return jobs
  }

  private mutating func resolve(_ job: inout ResolvedJob, in group: ResolvedGroup) {
    guard let reference = reference(job.name, in: group.name) else { return }
    job.providedLinks = providers.filter { $0.group == group.name && $0.job == job.name }.map {
      ProvidedLink(name: $0.alias, type: $0.type, group: "\($0.alias)-\($0.type)")
    }
    for name in reference.consumes.keys.sorted() where !job.spec.consumes.contains(where: { $0.name == name }) {
      errors.append(
        "Job '\(job.name)' in instance group '\(group.name)' does not define consumer '\(name)' in the release spec")
    }
    for link in job.spec.consumes {
      switch reference.consumes[link.name] {
      case .blocked:
        guard !link.isOptional else { continue }
        errors.append(
          "Failed to resolve link '\(link.name)' with type '\(link.type)' from job '\(job.name)' in instance group "
            + "'\(group.name)'. Details below:\n  - It is not optional, so it cannot be 'nil'")
      case .manual(let content): job.links[link.name] = .object(manual(content))
      case .request(let request): job.links[link.name] = resolve(link, request, job, group).map(Value.object)
      case nil: job.links[link.name] = resolve(link, nil, job, group).map(Value.object)
      }
    }
  }

  private mutating func resolve(
    _ link: JobSpec.Consumed, _ request: LinkConsumption.Request?, _ job: ResolvedJob, _ group: ResolvedGroup
  ) -> ValueObject? {
    let from = request?.from
    let what =
      "Failed to resolve link '\(link.name)' with \(from.map { "alias '\($0)' and " } ?? "")type '\(link.type)' from job "
      + "'\(job.name)' in instance group '\(group.name)'."
    if let other = request?.deployment, other != manifest.name {
      errors.append("\(what) Details below:\n  - Links to other deployments ('\(other)') are not supported yet")
      return nil
    }
    let found = providers.filter { $0.type == link.type && (from == nil || $0.alias == from) }
    guard let provider = found.first else {
      if from != nil || !link.isOptional { errors.append("\(what) Details below:\n  - No link providers found") }
      return nil
    }
    guard found.count == 1 else {
      let list = found.map { "\n  - \($0.label(manifest.name))" }.joined()
      errors.append("\(what) Multiple link providers found:\(list)")
      return nil
    }
    guard let providing = resolved.first(where: { $0.name == provider.group }) else { return nil }
    if let network = request?.network, !providing.networks.contains(where: { $0.name == network }) {
      errors.append(
        "\(what) Details below:\n  - \(provider.label(manifest.name)) does not belong to network '\(network)'")
      return nil
    }
    return content(provider, providing, request)
  }

  private func content(
    _ provider: Provider, _ group: ResolvedGroup, _ request: LinkConsumption.Request?
  ) -> ValueObject {
    let main =
      (group.networks.first { $0.defaults.contains(.addressable) }
      ?? group.networks.first { $0.defaults.contains(.gateway) })?.name
    let network = request?.network ?? main ?? ""
    let features = manifest.features
    let usesNames = features.useLinkDNSNames == true
    let usesDNS = request?.ipAddresses.map { !$0 } ?? (usesNames || features.useDNSAddresses == true)
    return [
      "deployment_name": .string(manifest.name), "domain": .string(domain), "default_network": .string(network),
      "networks": Value(group.networks.map(\.name)), "instance_group": .string(group.name),
      "group_name": .string("\(provider.alias)-\(provider.type)"), "properties": .object(provider.properties),
      "use_short_dns_addresses": .bool(usesNames || features.useShortDNSAddresses == true),
      "use_link_dns_names": .bool(usesNames),
      "instances": .array(
        group.instances.map { instance in
          let name = instance.dnsNames[network]
          return [
            "name": .string(group.name), "id": .string(instance.id), "index": .int(instance.index),
            "bootstrap": .bool(instance.bootstrap), "az": Value(instance.az),
            "address": Value(usesDNS ? name : instance.addresses[network] ?? name),
          ]
        }),
    ]
  }

  /// A link whose content is in the manifest.
  private func manual(_ content: ValueObject) -> ValueObject {
    var link: ValueObject = ["deployment_name": .string(manifest.name)]
    link["instances"] = content["instances"]
    link["properties"] = content["properties"] ?? [:]
    if let address = content["address"] { link["address"] = address }
    return link
  }

  /// Throws when something was wrong, with all of it.
  func check() throws {
    guard !errors.isEmpty else { return }
    let list = errors.map { "\n  - " + $0.split(separator: "\n").joined(separator: "\n  ") }.joined()
    throw DroverError(
      .invalid, "Failed to resolve links from deployment '\(manifest.name)'. See errors below:\(list)", number: 810000)
  }
}
