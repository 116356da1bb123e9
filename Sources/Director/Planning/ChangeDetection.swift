import Formats
import Manifests

extension ResolvedDisk {
  /// ``DiskRecord/cloudProperties`` of such a disk.
  public var cloudPropertiesText: String { JSON.text(.object(cloudProperties), JSON.Style(sorted: true)) }
}

extension ResolvedDeployment {
  /// Digests of all that the instance's update depends on.
  public func fingerprint(of instance: ResolvedInstance, rendered: RenderedInstance) -> InstanceFingerprint {
    let group = group(instance.group)
    let jobs = group?.jobs ?? []
    return InstanceFingerprint(
      vm: instance.recipe.description,
      configuration: rendered.configurationHash,
      jobs: digest(of: .array(jobs.map { [.string($0.name), .string($0.record.fingerprint)] })),
      packages: digest(
        of: .array(runTimePackages(of: instance).map { [.string($0.package.name), .string($0.key)] })),
      disk: group?.disk.map { digest(of: [.int($0.size), .string($0.cloudPropertiesText)]) } ?? "",
      tags: digest(of: .object(ValueObject((group?.tags ?? [:]).map { ($0.key, Value.string($0.value)) }))))
  }

  /// What has to be done with the instance, and why.
  public func change(of instance: ResolvedInstance, rendered: RenderedInstance) -> InstanceChange {
    guard let current = instance.current, let vm = current.vm, vm.cid != nil else {
      return instance.state == .detached ? .none : .create
    }
    if instance.state == .detached {
      return .update(options.unresponsive.contains(instance.id) ? [.state, .unresponsive] : [.state])
    }
    var reasons: Set<InstanceChange.Reason> = []
    let isOriginal = options.originalVMs.map { $0[instance.id] == vm.agentID } ?? true
    let isOpen = !options.finished.contains(instance.id)
    if options.unresponsive.contains(instance.id), isOriginal { reasons.insert(.unresponsive) }
    let asked = options.changes.last { $0.target.matches(current) }?.action
    if options.recreate || asked == .recreate, isOriginal, isOpen { reasons.insert(.recreate) }
    for part in instance.recipe.differences(from: VMRecipe(vm.recipe)) { reasons.insert(part.reason) }
    if !reasons.isEmpty { return .recreate(reasons) }
    reasons = inPlaceReasons(current, fingerprint(of: instance, rendered: rendered), group(instance.group))
    if instance.state != current.state { reasons.insert(.state) }
    if asked == .restart, isOpen { reasons.insert(.restart) }
    return reasons.isEmpty ? .none : .update(reasons)
  }

  private func inPlaceReasons(
    _ current: InstanceRecord, _ wanted: InstanceFingerprint, _ group: ResolvedGroup?
  ) -> Set<InstanceChange.Reason> {
    guard let stored = current.fingerprint, current.updateCompleted else { return [.dirty] }
    var reasons: Set<InstanceChange.Reason> = []
    if stored.configuration != wanted.configuration { reasons.insert(.configuration) }
    if stored.jobs != wanted.jobs { reasons.insert(.job) }
    if stored.packages != wanted.packages { reasons.insert(.packages) }
    if stored.tags != wanted.tags { reasons.insert(.tags) }
    if !DiskChange(current: current.disks.first, wanted: group?.disk).isNone { reasons.insert(.persistentDisk) }
    return reasons
  }

  /// The packages that the instance needs at run time, by name.
  public func runTimePackages(of instance: ResolvedInstance) -> [CompilationTarget] {
    guard let group = group(instance.group) else { return [] }
    let wanted = group.jobs.flatMap { job in job.packages.map { (job.release, $0) } }
    var seen: Set<String> = []
    return wanted.compactMap { _, package in
      packages.targets.first {
        $0.package.name == package.name && $0.package.fingerprint == package.fingerprint
          && $0.stemcell == group.stemcell.compilationTarget && packages.runTimeKeys.contains($0.key)
      }
    }.filter { seen.insert($0.key).inserted }.sorted { $0.package.name < $1.package.name }
  }
}

extension VMRecipe.Part {
  fileprivate var reason: InstanceChange.Reason {
    switch self {
    case .cloudProperties: .cloudProperties
    case .env: .env
    case .networks: .network
    case .stemcell: .stemcell
    }
  }
}
