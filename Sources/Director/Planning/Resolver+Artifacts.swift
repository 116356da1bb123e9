import Formats
import Manifests

extension Resolver {
  /// Releases of the manifest; those of the runtime config come with the addons that apply.
  mutating func resolveReleases() {
    for reference in manifest.releases {
      if let release = problems.collect({ try find(reference) }) { releases.append(release) }
    }
  }

  func find(_ reference: ReleaseReference) throws -> ReleaseRecord {
    let named = inputs.releases.filter { $0.name == reference.name }
    guard !named.isEmpty else {
      throw DroverError(.notFound, "Release '\(reference.name)' doesn't exist", number: 30005)
    }
    guard let version = reference.version.choose(from: named.map(\.version)),
      let record = named.first(where: { $0.version == version })
    else {
      let known = named.map(\.version).sorted().joined(separator: ", ")
      throw DroverError(
        .notFound, "Release version '\(reference.name)/\(reference.version)' doesn't exist; uploaded are \(known)",
        number: 30006)
    }
    return record
  }

  mutating func resolveStemcells() {
    for reference in manifest.stemcells {
      if let stemcell = problems.collect({ try find(reference) }) { stemcells[reference.alias] = stemcell }
    }
  }

  private func find(_ reference: StemcellReference) throws -> StemcellRecord {
    let fitting: [StemcellRecord]
    let what: String
    switch reference.selector {
    case .operatingSystem(let system):
      fitting = inputs.stemcells.filter { $0.operatingSystem == system }
      what = "OS '\(system)'"
    case .name(let name):
      fitting = inputs.stemcells.filter { $0.name == name }
      what = "name '\(name)'"
    }
    guard let version = reference.version.choose(from: fitting.map(\.version)),
      let record = fitting.filter({ $0.version == version }).min(by: { $0.name < $1.name })
    else {
      let known = fitting.map(\.version).sorted().joined(separator: ", ")
      throw DroverError(
        .notFound,
        "Stemcell version '\(reference.version)' for \(what) doesn't exist"
          + (known.isEmpty
            ? "; none with this \(what.split(separator: " ")[0]) is uploaded" : "; uploaded are \(known)"),
        number: 50003)
    }
    return record
  }

  /// Appends the jobs of addons, of the runtime config first, to the groups that they are for.
  mutating func applyAddons() {
    groups = manifest.instanceGroups
    let runtime = inputs.runtimeConfig.addons.map { ($0, isRuntime: true) }
    for (addon, isRuntime) in runtime + manifest.addons.map({ ($0, isRuntime: false) }) {
      for index in groups.indices {
        let subject = AddonSubject(
          deployment: manifest.name, teams: inputs.teams, group: manifest.instanceGroups[index],
          operatingSystem: stemcells[groups[index].stemcell]?.operatingSystem)
        guard addon.applies(to: subject) else { continue }
        append(addon, to: index, isRuntime: isRuntime)
      }
    }
  }

  private mutating func append(_ addon: Addon, to index: Int, isRuntime: Bool) {
    for job in addon.jobs {
      if isRuntime { addRuntimeRelease(of: job) }
      guard !groups[index].jobs.contains(where: { $0.name == job.name }) else {
        problems.add(
          "Colocated job '\(job.name)' is already added to the instance group '\(groups[index].name)'", number: 140010)
        continue
      }
      var job = job
      job.properties = job.properties ?? addon.properties ?? [:]
      groups[index].jobs.append(job)
    }
  }

  private mutating func addRuntimeRelease(of job: JobReference) {
    guard let name = job.release, let reference = inputs.runtimeConfig.releases.first(where: { $0.name == name }) else {
      return
    }
    guard let record = problems.collect({ try find(reference) }) else { return }
    guard let other = releases.first(where: { $0.name == name }) else {
      releases.append(record)
      return
    }
    guard other.version != record.version else { return }
    problems.add(
      "Runtime manifest specifies release '\(name)' with version as '\(record.version)'. This conflicts with version "
        + "'\(other.version)' specified in the deployment manifest.", number: 530003)
  }
}
