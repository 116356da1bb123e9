import AgentProtocol
import Formats
import Manifests

/// The steps of one instance, by what has to be done with it (`reference/director.md C.6, C.7`).
struct InstanceSteps {
  let instance: ResolvedInstance
  let group: ResolvedGroup
  let change: InstanceChange
  let skipDrain: Bool
  let isCanary: Bool
  /// Whether the task was interrupted by a restart of the server.
  let isResuming: Bool

  private var current: InstanceRecord? { instance.current }
  private var watch: WatchTime { isCanary ? group.update.canaryWatchTime : group.update.updateWatchTime }
  private var reasons: Set<InstanceChange.Reason> { Set(change.reasons) }

  /// Steps that are done for all instances without VM before any group is updated.
  var creation: [InstanceStep] { change == .create ? makeVM : [] }

  /// Steps of the instance's turn in its group.
  var update: [InstanceStep] {
    switch change {
    case .none, .delete: []
    case .create: diskChange + [.updateSettings, .apply] + begin
    case .recreate:
      halt(.deleteVM, .shutdown) + leaveVM + [.deleteVM] + makeVM + diskChange + [.updateSettings, .apply] + begin
    case .update where reasons == [.tags]: [.setVMMetadata]
    case .update where instance.state == .detached: halt(.deleteVM, .shutdown) + leaveVM + [.deleteVM]
    case .update where reasons == [.state] && instance.state == .stopped: halt(.keepVM, .shutdown)
    case .update: inPlace
    }
  }

  private var inPlace: [InstanceStep] {
    var steps: [InstanceStep] = []
    if current?.fingerprint == nil {
      // How far the making of the VM came is not known; its steps may be taken twice.
      steps = introduceVM
      if current?.appliedSpec != nil, !isResuming { steps += halt(.keepVM, .update) }
    } else {
      steps = [.prepare] + halt(.keepVM, instance.state == .stopped || changesDisk ? .shutdown : .update)
    }
    steps += diskChange
    if reasons.contains(.tags) { steps.append(.setVMMetadata) }
    return steps + [.updateSettings, .apply] + begin
  }

  private func halt(_ next: InstanceStep.NextStates, _ kind: DrainKind) -> [InstanceStep] {
    // Nobody is there who could stop anything.
    if reasons.contains(.unresponsive) || current?.vm?.cid == nil { return [] }
    // It stands still already.
    if current?.state == .stopped, current?.updateCompleted == true { return [] }
    return (skipDrain ? [] : [.preStop(next), .drain(kind)]) + [.stop, .postStop]
  }

  private var begin: [InstanceStep] {
    instance.state == .started ? [.preStart, .start, .waitUntilRunning(watch), .postStart] : []
  }

  // MARK: VM

  private var makeVM: [InstanceStep] {
    [.createVM] + introduceVM
  }

  /// What a new VM needs before it can be told what to run.
  private var introduceVM: [InstanceStep] {
    let isDynamic = instance.networks.contains { $0.value["type"] == "dynamic" }
    return [.setVMMetadata, .waitForAgent] + remount + [.updateSettings, .applyIdentity]
      + (isDynamic ? [.refreshAddresses] : [])
  }

  /// The VM goes and its disk stays.
  private var leaveVM: [InstanceStep] {
    guard let cid = current?.disks.first?.cid else { return [] }
    let unmount: [InstanceStep] = reasons.contains(.unresponsive) ? [] : [.unmountDisk(.existing(cid))]
    return unmount + [.detachDisk(.existing(cid))]
  }

  // MARK: Disks

  private var currentDisk: DiskRecord? { current?.disks.first }
  private var changesDisk: Bool { !DiskChange(current: currentDisk, wanted: group.disk).isNone }

  /// The disk that is there already comes to the new VM.
  private var remount: [InstanceStep] {
    guard let cid = currentDisk?.cid else { return [] }
    return [.attachDisk(.existing(cid)), .announceDisk(.existing(cid)), .mountDisk(.existing(cid))]
  }

  private var diskChange: [InstanceStep] {
    let old = currentDisk.map { InstanceStep.DiskReference.existing($0.cid) }
    let fresh = group.disk.map { disk -> [InstanceStep] in
      [.createDisk(disk), .attachDisk(.new), .announceDisk(.new), .mountDisk(.new)]
    }
    let farewell = old.map { old -> [InstanceStep] in
      [.unmountDisk(old), .forgetDisk(old), .detachDisk(old), .orphanDisk(old)]
    }
    switch (DiskChange(current: currentDisk, wanted: group.disk), old) {
    case (.none, _): return []
    case (.add, _): return fresh ?? []
    case (.remove, _): return farewell ?? []
    case (.replace, let old?): return (fresh ?? []) + [.migrateDisk(from: old, to: .new)] + (farewell ?? [])
    case (.replace, nil): return fresh ?? []
    }
  }
}

/// What has to be done about a persistent disk.
enum DiskChange {
  case none, add, remove, replace

  init(current: DiskRecord?, wanted: ResolvedDisk?) {
    switch (current, wanted) {
    case (nil, nil): self = .none
    case (nil, .some): self = .add
    case (.some, nil): self = .remove
    case (.some(let current), .some(let wanted)):
      let same = current.size == wanted.size && current.cloudProperties == wanted.cloudPropertiesText
      self = same ? .none : .replace
    }
  }

  var isNone: Bool { self == .none }
}

extension InstanceDeletion {
  /// The end of an instance, for good: its VM is deleted, its disks are kept for a while without it.
  ///
  /// - Parameters:
  ///   - deletingDeployment: Whether everything goes, which `pre-stop` scripts are told.
  ///   - skipDrain: Whether `pre-stop` and `drain` are left out.
  ///   - force: Whether not to talk to the agent at all.
  public init(
    _ record: InstanceRecord, deletingDeployment: Bool = false, skipDrain: Bool = false, force: Bool = false
  ) {
    var steps: [InstanceStep] = []
    let disks = record.disks.map { InstanceStep.DiskReference.existing($0.cid) }
    if record.vm != nil {
      if record.vm?.cid != nil, !force, record.fingerprint != nil {
        if record.state == .started {
          if !skipDrain {
            steps += [.preStop(deletingDeployment ? .deleteDeployment : .deleteInstance), .drain(.shutdown)]
          }
          steps += [.stop, .postStop]
        }
        steps += disks.map { .unmountDisk($0) }
      }
      if record.vm?.cid != nil { steps += disks.map { .detachDisk($0) } }
      steps.append(.deleteVM)
    }
    steps += disks.map { .orphanDisk($0) } + [.releaseAddresses, .forgetInstance]
    self.init(instance: record, steps: steps)
  }

  /// The end of an errand's VM: the instance stays, with its addresses and disks.
  public init(errandVMOf record: InstanceRecord) {
    let disks = record.disks.map { InstanceStep.DiskReference.existing($0.cid) }
    guard record.vm?.cid != nil else {
      self.init(instance: record, steps: record.vm == nil ? [] : [.deleteVM])
      return
    }
    self.init(
      instance: record, steps: disks.map { .unmountDisk($0) } + disks.map { .detachDisk($0) } + [.deleteVM])
  }
}
