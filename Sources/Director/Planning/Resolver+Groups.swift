import Formats
import Manifests
import Releases

extension Resolver {
  /// Whether all that the group names is there.
  mutating func checkGroup(_ group: InstanceGroup) {
    let place = "Instance group '\(group.name)'"
    if stemcells[group.stemcell] == nil {
      problems.add("\(place) references a stemcell alias that doesn't exist: '\(group.stemcell)'", number: 140005)
    }
    if case .type(let name) = group.vm, cloudConfig.vmType(name) == nil {
      problems.add("\(place) references an unknown vm type '\(name)'", number: 140004)
    }
    for name in group.vmExtensions where cloudConfig.vmExtension(name) == nil {
      problems.add("\(place) references an unknown vm extension '\(name)'", number: 140004)
    }
    if case .type(let name) = group.persistentDisk, cloudConfig.diskType(name) == nil {
      problems.add("\(place) references an unknown disk type '\(name)'", number: 140012)
    }
    for disk in group.persistentDisks where cloudConfig.diskType(disk.type) == nil {
      problems.add("\(place) references an unknown disk type '\(disk.type)'", number: 140012)
    }
    if !group.persistentDisks.isEmpty {
      problems.add("\(place) has several persistent disks, which this director can't make yet; use one", number: 140013)
    }
    for name in group.azs where cloudConfig.az(name) == nil {
      problems.add("\(place) references unknown AZ '\(name)'", number: 140018)
    }
    checkNetworks(group, place)
    let names = Set(group.jobs.map(\.name))
    for job in group.jobs where names.contains(job.name) {
      if let job = problems.collect({ try resolveJob(job, in: group) }) {
        jobs[JobKey(group: group.name, job: job.name)] = job
      }
    }
  }

  private mutating func checkNetworks(_ group: InstanceGroup, _ place: String) {
    for reference in group.networks {
      guard let network = cloudConfig.network(reference.name) else {
        problems.add("\(place) references an unknown network '\(reference.name)'", number: 150001)
        continue
      }
      if case .vip = network.kind {
        if !reference.defaults.isEmpty {
          problems.add("\(place): vip network '\(reference.name)' can't be a default", number: 130007)
        }
        if reference.staticAddresses == nil {
          problems.add("\(place): vip network '\(reference.name)' needs static_ips", number: 130005)
        }
      }
      guard let zones = network.azs else { continue }
      if group.azs.isEmpty {
        problems.add(
          "\(place) must specify availability zone that matches availability zones of network '\(reference.name)'",
          number: 150006)
      }
      for zone in group.azs where !zones.contains(zone) && cloudConfig.az(zone) != nil {
        problems.add("\(place): network '\(reference.name)' has no subnet in AZ '\(zone)'", number: 150006)
      }
    }
  }

  private func resolveJob(_ job: JobReference, in group: InstanceGroup) throws -> ResolvedJob {
    let release = try release(of: job, in: group)
    guard let record = release.jobs.first(where: { $0.name == job.name }) else {
      throw DroverError(
        .invalid, "Job '\(job.name)' not found in Release '\(release.name)' version '\(release.version)'",
        number: 190011)
    }
    var spec = try JobSpec(JSON.parse(record.spec))
    spec.leases = ErrandLease.merged(spec.leases, with: job.leases)
    let given = job.properties ?? Properties.merge(manifest.properties, group.properties)
    let properties: ValueObject
    do { properties = try spec.effectiveProperties(given) } catch let error as DroverError {
      throw DroverError(
        error.code, "Job '\(job.name)' in instance group '\(group.name)': \(error.message)", number: error.number)
    }
    let packages = try spec.packages.map { name in
      guard let package = release.packages.first(where: { $0.name == name }) else {
        throw DroverError(
          .invalid,
          "Job '\(job.name)' needs package '\(name)', which release '\(release.name)/\(release.version)' doesn't have",
          number: 80003)
      }
      return package
    }
    return ResolvedJob(
      name: job.name, release: release.name, releaseVersion: release.version, record: record, spec: spec,
      properties: .object(properties), links: [:], providedLinks: [], packages: packages)
  }

  private func release(of job: JobReference, in group: InstanceGroup) throws -> ReleaseRecord {
    guard let name = job.release else {
      guard manifest.releases.count == 1, let only = releases.first else {
        throw DroverError(
          .invalid,
          "Cannot tell what release job '\(job.name)' in instance group '\(group.name)' is supposed to use, please "
            + "explicitly specify one", number: 140001)
      }
      return only
    }
    guard let release = releases.first(where: { $0.name == name }) else {
      throw DroverError(
        .invalid,
        "Instance group '\(group.name)' references an unknown release '\(name)'; it must be listed in 'releases'",
        number: 140002)
    }
    return release
  }

  /// Who is where, of those that are there and of new ones.
  func place(_ group: InstanceGroup) throws -> [Placement.Slot] {
    let names = Set([group.name] + group.migratedFrom.map(\.name))
    let current = inputs.instances.filter { names.contains($0.group) }.map { record in
      guard record.group != group.name, record.az == nil,
        let az = group.migratedFrom.first(where: { $0.name == record.group })?.az
      else { return record }
      var record = record
      record.az = az
      return record
    }
    let networks = Dictionary(
      group.networks.compactMap { reference in cloudConfig.network(reference.name).map { (reference.name, $0) } },
      uniquingKeysWith: { first, _ in first })
    return try Placement(group, current: current, networks: networks).slots
  }
}
