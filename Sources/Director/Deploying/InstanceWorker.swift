import AgentProtocol
import Clouds
import Documents
import Formats
import Manifests
import Surroundings

/// Takes the steps of one instance's update, and keeps its record true after each of them.
///
/// After a restart of the server the same steps are planned again, from the record as it was when the task began with the
/// instance, and those that were taken are left out. The one at which the server was killed is taken again: what an agent
/// has already done for this task it does not do twice, since it is asked with the same identity (design D7).
struct InstanceWorker: Sendable {
  let director: Director
  let context: TaskContext
  /// What the instance shall run; nil when it goes.
  let spec: ApplySpec?
  /// How to make its VM; nil when none is made.
  let order: VMOrder?
  /// The recipe that a new VM is made by.
  let recipe: String
  let stemcell: String
  /// Tells what is being done.
  let report: @Sendable (String) async throws -> Void
  /// What the steps are for and what they were planned from; nil when nobody counts them.
  private let tracking: Tracking?
  private(set) var record: InstanceRecord
  /// The disk that `createDisk` has made.
  private var newDisk: DiskRecord?
  /// The CPI's hints of attached disks.
  private var hints: [String: Value] = [:]
  /// Steps that will have been taken when the current one has been.
  private var position = 0

  struct Tracking: Sendable {
    var work: InstanceProgress.Work
    var base: InstanceRecord
  }

  init(
    director: Director, context: TaskContext, record: InstanceRecord, spec: ApplySpec?, order: VMOrder?,
    recipe: String, stemcell: String, tracking: Tracking? = nil,
    report: @escaping @Sendable (String) async throws -> Void
  ) {
    self.tracking = tracking
    self.director = director
    self.context = context
    self.record = record
    self.spec = spec
    self.order = order
    self.recipe = recipe
    self.stemcell = stemcell
    self.report = report
  }

  private var cloud: any CloudProvider { director.engines.cloud }

  private func agent() throws -> AgentClient {
    guard let vm = record.vm else {
      throw DroverError(.notFound, "instance \(record.label): it has no VM")
    }
    return director.client(vm.agentID, context.output)
  }

  private func identity(_ step: String) throws -> RequestIdentity {
    RequestIdentity(task: context.id, agent: try agent().agentID, step: "\(record.id) \(step)")
  }

  private func perform(_ method: AgentMethod, _ step: String, _ arguments: [Value] = []) async throws -> Value {
    try await agent().perform(method, arguments, identity: identity(step))
  }

  private mutating func save(_ change: (inout InstanceRecord) -> Void) async throws {
    change(&record)
    try await director.records.instances.put(record.documentName, record)
  }

  /// Takes the steps one after another, as far as nobody asks for the end of the task; without those that were taken before
  /// a restart.
  ///
  /// - Parameter offset: how many steps of the same work come before these.
  mutating func take(_ steps: [InstanceStep], offset: Int = 0) async throws {
    try await begin()
    for (index, step) in steps.enumerated() {
      position = offset + index + 1
      if tracking != nil, let progress = record.progress, position <= progress.done {
        if case .createDisk = step { newDisk = record.disks.last }
        continue
      }
      try context.cancellation.check()
      try await take(step)
      guard tracking != nil, step != .forgetInstance else { continue }
      let taken = position
      if record.progress?.done != taken { try await save { $0.progress?.done = taken } }
    }
  }

  /// Writes down that this task begins with the instance, unless it has already.
  private mutating func begin() async throws {
    guard let tracking else { return }
    if record.progress?.work == tracking.work, record.isInWork(by: context.id) { return }
    let progress = InstanceProgress(task: context.id, work: tracking.work, base: try tracking.base.baseText())
    try await save { $0.progress = progress }
  }

  private mutating func take(_ step: InstanceStep) async throws {
    switch step {
    case .prepare, .preStop, .drain, .stop, .postStop, .updateSettings, .applyIdentity, .apply, .preStart, .start,
      .postStart, .waitUntilRunning, .refreshAddresses:
      try await takeAgentStep(step)
    case .createDisk, .attachDisk, .announceDisk, .mountDisk, .migrateDisk, .unmountDisk, .forgetDisk, .detachDisk,
      .orphanDisk:
      try await takeDiskStep(step)
    case .createVM, .setVMMetadata, .waitForAgent, .deleteVM:
      try await takeVMStep(step)
    case .releaseAddresses:
      let name = record.documentName
      let taken = try await director.records.addresses.list().filter { $0.body.holder == name }
      _ = try await director.engines.store.commit(taken.map { director.records.addresses.deleting($0.name) })
    case .forgetInstance:
      try await director.records.instances.delete(record.documentName)
    }
  }

  // MARK: VM

  private mutating func takeVMStep(_ step: InstanceStep) async throws {
    let vms = VMs(director: director)
    switch step {
    case .createVM:
      // It was made when the server was killed.
      if record.vm?.cid != nil { return }
      guard var order else { throw DroverError(.invalid, "instance \(record.label): nothing says how to make its VM") }
      try await report("creating VM")
      // The same id after a restart: the cloud has the VM already or makes it now, but never makes a second one.
      order.agentID =
        record.vm?.agentID ?? RequestIdentity(task: context.id, agent: record.id, step: "create VM").uuid
      order.disks = record.disks.map(\.cid)
      let vm = VMRecord(
        agentID: order.agentID, cid: nil, stemcell: stemcell, recipe: recipe,
        createdAt: director.engines.surroundings.now().seconds)
      try await save {
        $0.vm = vm
        $0.updateCompleted = false
        // Nothing has been applied on this one yet: planning again after a restart goes on with making it.
        $0.fingerprint = nil
        $0.appliedSpec = nil
      }
      do {
        let cid = try await vms.create(order, context)
        try await save { $0.vm?.cid = cid }
      } catch let error as CloudError {
        // The cloud said that there is no VM; without that word there may be one.
        try await director.engines.identities.withdraw(order.agentID)
        try await save { $0.vm = nil }
        throw error
      }
    case .setVMMetadata:
      if let cid = record.vm?.cid, let metadata = order?.metadata { try await cloud.setVMMetadata(cid, metadata) }
    case .waitForAgent:
      do {
        try await vms.waitForAgent(try agent().agentID, of: record.label, context)
      } catch let failure as DirectorFailure where tracking?.work == .update {
        // Nothing can be done with a VM whose agent never answered: the next deploy makes another one.
        if let vm = record.vm { try await vms.delete(agentID: vm.agentID, cid: vm.cid) }
        try await save { $0.vm = nil }
        throw failure
      }
    case .deleteVM:
      guard let vm = record.vm else { return }
      try await report("deleting VM")
      try await vms.delete(agentID: vm.agentID, cid: vm.cid)
      try await save {
        $0.vm = nil
        $0.updateCompleted = false
      }
    default: break
    }
  }

  // MARK: Agent

  private mutating func takeAgentStep(_ step: InstanceStep) async throws {
    switch step {
    case .prepare:
      _ = try await perform(.prepare, "prepare", [specValue()])
    case .preStop(let states):
      try await save { $0.updateCompleted = false }
      try await runScript("pre-stop", states.environment)
    case .drain(let kind):
      try await drain(kind)
    case .stop:
      try await report("stopping jobs")
      try await save { $0.updateCompleted = false }
      _ = try await perform(.stop, "stop")
    case .postStop: try await runScript("post-stop")
    case .updateSettings:
      let associations: [Value] = record.disks.map { ["name": "", "cid": .string($0.cid)] }
      _ = try await perform(
        .updateSettings, "update_settings",
        [["trusted_certs": "", "disk_associations": record.disks.count > 1 ? .array(associations) : []]])
    case .applyIdentity:
      guard let spec else { return }
      let identitySpec = ApplySpec(
        deployment: spec.deployment, name: spec.name, id: spec.id, index: spec.index, az: spec.az,
        job: ApplySpec.Job(name: spec.job.name), networks: spec.networks)
      _ = try await perform(.apply, "apply identity", [identitySpec.value])
    case .refreshAddresses:
      // Deploys with such networks are refused before.
      throw DroverError(.unsupported, "instance \(record.label): dynamic networks are not there yet")
    case .apply:
      try await report("applying")
      try await save { $0.updateCompleted = false }
      _ = try await perform(.apply, "apply", [specValue()])
      let text = spec.map { JSON.text($0.value) }
      try await save { $0.appliedSpec = text }
    case .preStart: try await runScript("pre-start")
    case .start:
      try await report("starting jobs")
      _ = try await agent().ask(.start, tries: 4)
    case .waitUntilRunning(let watch): try await waitUntilRunning(watch)
    case .postStart: try await runScript("post-start")
    default: break
    }
  }

  private func specValue() throws -> Value {
    guard let spec else { throw DroverError(.invalid, "instance \(record.label): there is nothing to apply") }
    return spec.value
  }

  private func runScript(_ name: String, _ environment: [String: String] = [:]) async throws {
    try await report("executing \(name)")
    _ = try await perform(
      .runScript, name,
      [
        .string(name),
        ["env": .object(ValueObject(environment.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) }))],
      ])
  }

  /// Drains: negative answers mean to ask again after so many seconds (reference/director.md C.6).
  private func drain(_ kind: DrainKind) async throws {
    try await report("executing drain")
    var round = 0
    var arguments: [Value] = [.string(kind.rawValue)]
    if let spec { arguments.append(spec.value) }
    var answer = try await perform(.drain, "drain", arguments).int ?? 0
    while answer < 0 {
      try context.cancellation.check()
      try await director.engines.surroundings.sleep(.seconds(-answer))
      round += 1
      answer = try await perform(.drain, "drain \(round)", ["status"]).int ?? 0
    }
    if answer > 0 { try await director.engines.surroundings.sleep(.seconds(answer)) }
  }

  /// Asks as often as the watch times want, and at the beginning more often, since jobs are mostly quick
  /// (reference/director.md C.6).
  private func waitUntilRunning(_ watch: WatchTime) async throws {
    let surroundings = director.engines.surroundings
    let start = surroundings.elapsed()
    let deadline = start + .milliseconds(watch.maximum)
    try await surroundings.sleep(.milliseconds(watch.minimum))
    var pause = Duration.milliseconds(100)
    while true {
      try context.cancellation.check()
      let state = try await agent().state()
      if state.jobState == .running { return }
      guard surroundings.elapsed() < deadline else {
        let failing = state.processes.filter { $0.state != .running }.map(\.name).sorted()
        let jobs = failing.isEmpty ? "" : " Review logs for failed jobs: \(failing.joined(separator: ", "))"
        throw DirectorFailure.notRunning("'\(record.label)' is not running after update.\(jobs)")
      }
      try await surroundings.sleep(pause)
      pause = min(pause * 2, .seconds(1))
    }
  }

  // MARK: Disks

  private func cid(_ disk: InstanceStep.DiskReference) throws -> String {
    switch disk {
    case .existing(let cid): return cid
    case .new:
      guard let newDisk else { throw DroverError(.invalid, "instance \(record.label): no disk has been made") }
      return newDisk.cid
    }
  }

  private func vmID() throws -> String {
    guard let cid = record.vm?.cid else { throw DroverError(.notFound, "instance \(record.label): it has no VM") }
    return cid
  }

  private mutating func takeDiskStep(_ step: InstanceStep) async throws {
    switch step {
    case .createDisk(let disk):
      try await report("creating disk")
      let cid = try await cloud.createDisk(
        megabytes: disk.size, cloudProperties: disk.cloudProperties, vm: record.vm?.cid)
      let made = DiskRecord(
        cid: cid, size: disk.size,
        cloudProperties: JSON.text(.object(disk.cloudProperties), JSON.Style(sorted: true)))
      newDisk = made
      let taken = position
      try await save {
        $0.disks.append(made)
        $0.progress?.done = taken
      }
    case .attachDisk(let disk):
      try await report("attaching disk")
      let cid = try cid(disk)
      hints[cid] = try await cloud.attachDisk(cid, to: vmID())
    case .announceDisk(let disk):
      let cid = try cid(disk)
      var hint = hints[cid]
      if hint == nil { hint = try await cloud.attachDisk(cid, to: vmID()) }
      _ = try await perform(.addPersistentDisk, "add disk \(cid)", [.string(cid), hint ?? .null])
    case .mountDisk(let disk):
      let cid = try cid(disk)
      _ = try await perform(.mountDisk, "mount disk \(cid)", [.string(cid)])
    case .migrateDisk(let from, let to):
      try await report("migrating disk")
      let (old, new) = (try cid(from), try cid(to))
      _ = try await perform(.migrateDisk, "migrate disk \(old) \(new)", [.string(old), .string(new)])
    case .unmountDisk(let disk):
      let cid = try cid(disk)
      _ = try await perform(.unmountDisk, "unmount disk \(cid)", [.string(cid)])
    case .forgetDisk(let disk):
      let cid = try cid(disk)
      _ = try await perform(.removePersistentDisk, "remove disk \(cid)", [.string(cid)])
    case .detachDisk(let disk):
      do {
        try await cloud.detachDisk(try cid(disk), from: vmID())
      } catch let error as CloudError where [.diskNotAttached, .vmNotFound].contains(error.kind) {}
    case .orphanDisk(let disk):
      let cid = try cid(disk)
      if let orphan = record.disks.first(where: { $0.cid == cid }) {
        try await director.records.orphanDisks.put(
          cid,
          OrphanDiskRecord(
            disk: orphan, deployment: record.deployment, instance: "\(record.group)/\(record.id)",
            orphanedAt: director.engines.surroundings.now().seconds))
      }
      try await save { $0.disks.removeAll { $0.cid == cid } }
    default: break
    }
  }
}
