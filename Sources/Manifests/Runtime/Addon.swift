public import Formats

/// Jobs that are added to groups of a deployment by rule (`reference/director.md B.5`).
public struct Addon: Sendable, Hashable {
  public var name: String
  public var jobs: [JobReference]
  public var include: AddonFilter
  public var exclude: AddonFilter
  /// Deprecated properties of all its jobs.
  public var properties: ValueObject?

  /// Whether it is for that group: included (nothing said includes all) and not excluded (nothing said excludes none).
  public func applies(to subject: AddonSubject) -> Bool {
    (include.isEmpty || include.matches(subject)) && (exclude.isEmpty || !exclude.matches(subject))
  }
}

/// What an addon's filters look at.
public struct AddonSubject: Sendable, Hashable {
  public var deployment: String
  public var teams: [String]
  public var group: InstanceGroup
  /// The operating system of the group's stemcell; nil when there is none.
  public var operatingSystem: String?

  public init(deployment: String, teams: [String] = [], group: InstanceGroup, operatingSystem: String?) {
    self.deployment = deployment
    self.teams = teams
    self.group = group
    self.operatingSystem = operatingSystem
  }
}

/// Conditions on a group: keys are joined by and, values of a list by or.
public struct AddonFilter: Sendable, Hashable {
  public struct Job: Sendable, Hashable {
    public var name: String
    public var release: String
  }

  public var deployments: [String]?
  public var jobs: [Job]?
  public var instanceGroups: [String]?
  /// Operating systems.
  public var stemcells: [String]?
  public var networks: [String]?
  public var teams: [String]?
  public var azs: [String]?
  public var lifecycle: InstanceGroup.Lifecycle?

  public init() {}

  /// Whether it says nothing.
  public var isEmpty: Bool { self == AddonFilter() }

  /// Whether all that it says is true of the group.
  public func matches(_ subject: AddonSubject) -> Bool {
    let group = subject.group
    func any(_ wanted: [String]?, of found: [String]) -> Bool {
      wanted.map { !Set($0).isDisjoint(with: found) } ?? true
    }
    return any(deployments, of: [subject.deployment])
      && any(teams, of: subject.teams)
      && any(instanceGroups, of: [group.name])
      && any(stemcells, of: subject.operatingSystem.map { [$0] } ?? [])
      && any(networks, of: group.networks.map(\.name))
      && any(azs, of: group.azs)
      && (lifecycle.map { $0 == group.lifecycle } ?? true)
      && (jobs.map { wanted in
        wanted.contains { job in group.jobs.contains { $0.name == job.name && $0.release == job.release } }
      } ?? true)
  }
}

extension Addon {
  /// - Throws: ``DroverError`` with code `invalid`. A deployment's own addons cannot filter by deployment or team.
  init(_ reader: FieldReader, inRuntimeConfig: Bool) throws {
    name = try reader.identifier("name")
    jobs = try reader.readers("jobs").map { job in
      guard job.value("release") != nil else {
        throw job.error("release", "missing; a job of an addon must name its release")
      }
      return try JobReference(job)
    }
    try reader.requireUnique(jobs.map(\.name), in: "jobs")
    properties = try reader.optionalObject("properties")
    include = try AddonFilter(reader.optionalReader("include"), inRuntimeConfig: inRuntimeConfig)
    exclude = try AddonFilter(reader.optionalReader("exclude"), inRuntimeConfig: inRuntimeConfig)
  }
}

extension AddonFilter {
  init(_ reader: FieldReader?, inRuntimeConfig: Bool) throws {
    guard let reader else { return }
    func list(_ name: String) throws -> [String]? { reader.value(name) == nil ? nil : try reader.strings(name) }
    deployments = try list("deployments")
    teams = try list("teams")
    if !inRuntimeConfig, let key = ["deployments", "teams"].first(where: { reader.value($0) != nil }) {
      throw DroverError(
        .invalid, "\(reader.place(key)): not allowed in the addons of a deployment, only in a runtime config",
        number: 530006)
    }
    instanceGroups = try list("instance_groups")
    networks = try list("networks")
    azs = try list("azs")
    lifecycle = try reader.optionalChoice("lifecycle")
    if reader.value("jobs") != nil {
      jobs = try reader.readers("jobs").map { job in
        guard let name = try job.optionalString("name"), let release = try job.optionalString("release") else {
          throw DroverError(.invalid, "\(job.path): expected both 'name' and 'release'", number: 530004)
        }
        return Job(name: name, release: release)
      }
    }
    if reader.value("stemcell") != nil {
      stemcells = try reader.readers("stemcell").map { stemcell in
        guard let system = try stemcell.optionalString("os") else {
          throw DroverError(.invalid, "\(stemcell.path): expected 'os'", number: 530005)
        }
        return system
      }
    }
  }
}
