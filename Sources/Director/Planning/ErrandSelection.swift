import Formats
import Manifests
import Releases

/// On which instances an errand runs, and how (`reference/director.md D.1, D.2`).
public struct ErrandSelection: Sendable, Hashable {
  /// One run on one instance.
  public struct Target: Sendable, Hashable {
    public var instance: ResolvedInstance
    /// The argument of `run_errand`; nil runs the group's first job that is an errand.
    public var job: String?
    /// The job or errand whose script it is.
    public var script: String
    /// Whether the instance is an errand group's: it gets a VM for the run, and has none afterwards.
    public var needsVM: Bool
  }

  public var name: String
  public var targets: [Target]
  /// For the task's event log.
  public var warnings: [String]
}

/// One of the `instances` of a request: a group, and within it a UUID, an index or `first`.
public struct ErrandFilter: Sendable, Hashable, Codable, CustomStringConvertible {
  public var group: String
  public var id: String?

  public init(group: String, id: String? = nil) {
    self.group = group
    self.id = id
  }

  /// As Ruby prints it, which is part of the error's text.
  public var description: String {
    "{\"group\"=>\"\(group)\"" + (id.map { ", \"id\"=>\"\($0)\"" } ?? "") + "}"
  }

  func matches(_ instance: ResolvedInstance, in group: ResolvedGroup) -> Bool {
    guard instance.group == self.group else { return false }
    switch id {
    case nil: return true
    case "first": return instance.id == group.instances.map(\.id).min()
    case let id?: return id == instance.id || id == String(instance.index)
    }
  }
}

extension ResolvedDeployment {
  /// Names by which an errand can be run: errand groups, errands of releases, and jobs with `bin/run`; each once, sorted.
  public var errandNames: [String] {
    let named = groups.filter { $0.lifecycle == .errand }.map(\.name)
    let jobs = groups.flatMap(\.jobs).filter(\.isErrand).map(\.name)
    return Set(named + jobs).sorted()
  }

  /// The instances that a run of an errand is on.
  func errand(_ name: String, _ run: ErrandRun) throws -> ErrandSelection {
    try errand(name, filters: run.instances, count: run.instanceCount, ofOwnGroup: run.countsOwnGroupOnly ?? false)
  }

  /// Finds an errand by name, a job first, and the instances that it runs on.
  ///
  /// - Parameters:
  ///   - count: on how many instances of each group it runs, the first ones; nil for the first one of an errand group, and
  ///     all of others.
  ///   - ofOwnGroup: whether `count` speaks only of the errand group with the errand's name, if there is one.
  /// - Throws: ``DroverError`` with BOSH's texts and numbers.
  public func errand(
    _ name: String, filters: [ErrandFilter] = [], count: Int? = nil, ofOwnGroup: Bool = false
  ) throws -> ErrandSelection {
    let withJob = groups.filter { group in group.jobs.contains { $0.name == name && $0.isErrand } }
    guard !withJob.isEmpty else { return try groupErrand(name, filters, count) }
    var selection = ErrandSelection(name: name, targets: [], warnings: [])
    // A group named like its only job is no ambiguity: both names mean the same run.
    if groups.contains(where: { $0.name == name }), withJob.contains(where: { $0.name != name }) {
      selection.warnings.append(
        "Ambiguous request: the requested errand name '\(name)' matches both a job name and an errand instance group "
          + "name. Executing errand on all relevant instances with job '\(name)'.")
    }
    var used: Set<ErrandFilter> = []
    let own = ofOwnGroup ? withJob.first { $0.name == name && $0.lifecycle == .errand } : nil
    for group in withJob {
      let count = own.map(\.name) ?? group.name == group.name ? count : nil
      let chosen = group.instances.filter { instance in
        let fitting = filters.filter { $0.matches(instance, in: group) }
        used.formUnion(fitting)
        return filters.isEmpty || !fitting.isEmpty
      }
      // Other groups than those that are asked for need not have so many.
      if let count, filters.isEmpty || filters.contains(where: { $0.group == group.name }) {
        try Self.require(count, of: chosen.count, name, group.name)
      }
      add(chosen, of: group, count, filters, to: &selection)
    }
    let unused = filters.filter { !used.contains($0) }
    guard unused.isEmpty else {
      throw DroverError(
        .notFound,
        "No instances match selection criteria: [\(unused.map(\.description).joined(separator: ", "))]",
        number: 510000)
    }
    try Self.requireStarted(selection)
    guard !selection.targets.isEmpty else {
      let why =
        withJob.allSatisfy(\.instances.isEmpty)
        ? "the instance groups that have it have no instances"
        : "none of its instances has a VM; deploy, so that they are made"
      throw DroverError(.conflict, "Errand '\(name)' has nothing to run on: \(why)", number: 510000)
    }
    return selection
  }

  private static func requireStarted(_ selection: ErrandSelection) throws {
    for target in selection.targets where target.instance.state != .started {
      throw DroverError(
        .conflict,
        "Errand '\(selection.name)' can't run on instance '\(target.instance.group)/\(target.instance.id)', which is "
          + "\(target.instance.state.rawValue); start it first or select others", number: 510000)
    }
  }

  private static func require(_ count: Int, of available: Int, _ name: String, _ group: String) throws {
    guard count > available else { return }
    throw DroverError(
      .invalid,
      "Errand '\(name)' can't run on \(count) instances of '\(group)', which has \(available) for it: ask for fewer, or "
        + "raise 'instances' in the manifest and deploy", number: 510000)
  }

  private func add(
    _ chosen: [ResolvedInstance], of group: ResolvedGroup, _ count: Int?, _ filters: [ErrandFilter],
    to selection: inout ErrandSelection
  ) {
    if group.lifecycle == .errand {
      // Unless more or others are asked for, only the first instance of an errand group runs.
      let named = chosen.filter { instance in filters.contains { $0.id != nil && $0.matches(instance, in: group) } }
      let running = count.map { chosen.prefix($0) } ?? (named.isEmpty ? chosen.prefix(1) : named[...])
      selection.targets += running.map {
        .init(instance: $0, job: selection.name, script: selection.name, needsVM: true)
      }
      return
    }
    var running: [ResolvedInstance] = []
    for instance in chosen.prefix(count ?? .max) {
      if instance.state == .started, instance.current?.vm?.cid == nil {
        selection.warnings.append("Skipping instance: \(instance.label) no matching VM reference was found")
      } else {
        running.append(instance)
      }
    }
    if running.count > 1, count == nil {
      selection.warnings.append(
        "Executing errand on multiple instances in parallel. Use the `--instance` flag to run the errand on a single "
          + "instance.")
    }
    selection.targets += running.map {
      .init(instance: $0, job: selection.name, script: selection.name, needsVM: false)
    }
  }

  private func groupErrand(_ name: String, _ filters: [ErrandFilter], _ count: Int?) throws -> ErrandSelection {
    guard let group = group(name) else {
      throw DroverError(
        .notFound, "Errand '\(name)' doesn't exist" + NearNames.hint(name, among: errandNames), number: 70009)
    }
    guard group.lifecycle == .errand else {
      throw DroverError(
        .invalid,
        "Instance group '\(name)' is not an errand. To mark an instance group as an errand set its lifecycle to "
          + "'errand' in the deployment manifest.", number: 510000)
    }
    guard filters.isEmpty else {
      throw DroverError(
        .invalid, "Filtering by instances is not allowed when running errand by instance group name", number: 510000)
    }
    guard !group.instances.isEmpty, let job = group.jobs.first(where: \.isErrand) ?? group.jobs.first else {
      throw DroverError(.notFound, "Instance '\(self.name)/\(name)/0' doesn't exist", number: 70001)
    }
    if let count { try Self.require(count, of: group.instances.count, name, name) }
    let targets = group.instances.prefix(count ?? 1).map {
      ErrandSelection.Target(instance: $0, job: nil, script: job.name, needsVM: true)
    }
    let selection = ErrandSelection(name: name, targets: targets, warnings: [])
    try Self.requireStarted(selection)
    return selection
  }
}
