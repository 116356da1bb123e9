import AgentProtocol
import Documents
import Formats
import Manifests
import Releases
import Surroundings

/// The work of a `run_errand` task (reference/director.md D.3): brings up a VM where the errand has one of its own, runs
/// the script, brings its output and exit code home, and removes the VM.
struct RunErrand: Sendable {
  let director: Director
  private(set) var context: TaskContext
  let order: ErrandOrder
  /// What the run holds; nil when it leases nothing.
  private var hand: LeasesInHand?
  /// Called when the locks are got, before anything is begun.
  private var begin: @Sendable () async throws -> Void = {}

  /// Under which name a run remembers what it leases.
  static let leases = "leases"

  init(_ director: Director, _ context: TaskContext) throws {
    self.director = director
    self.context = context
    order = try context.request(as: ErrandOrder.self)
  }

  private var records: Records { director.records }

  /// What is to be run: as the deployment is now, or on what an earlier server has begun with.
  private struct Subject: Sendable {
    var resolved: ResolvedDeployment
    var selection: ErrandSelection
  }

  private func subject() async throws -> Subject {
    let deployment = try await director.deployment(order.deployment)
    guard let manifest = try await director.variables.manifest(of: deployment) else {
      throw DirectorFailure.errand(
        "Deployment '\(order.deployment)' was never deployed to its end: deploy it before running its errands")
    }
    let resolved = try await director.storedResolution(deployment, manifest, task: context.id)
    if context.hasBegun, let claims = await context.heldLocks,
      let targets = claimed.targets(claims, of: resolved)
    {
      let selection = ErrandSelection(name: order.errand, targets: targets, warnings: [])
      return Subject(resolved: resolved, selection: selection)
    }
    return Subject(
      resolved: resolved,
      selection: try resolved.errand(order.errand, order.run))
  }

  private var claimed: ErrandClaims { ErrandClaims(deployment: order.deployment) }

  func run() async throws -> String? {
    try await tellCause()
    // What nobody asked for, a manifest says.
    try order.run.refuseImpossible()
    let (wants, first) = try await decideWants()
    guard !wants.isEmpty else { return try await runLocked(first) }
    // What it leases is got before any lock is taken: nobody who makes a resource free waits for one that waits for it.
    if try await ErrandTurn(director: director, context: context, order: order, wants: wants).comes() == .unchanged {
      return ErrandChanges.skipped
    }
    return try await ErrandLeasing(director, context, wants).run { hand, begin in
      var run = self
      run.hand = hand
      run.begin = begin
      run.context = context.with(hand.cancellation)
      return try await run.runLocked()
    }
  }

  /// What it leases, once and for all; and what is to be run, when it was just found out.
  private func decideWants() async throws -> (wants: [ErrandLease], Subject?) {
    if let known = try await context.known(Self.leases, as: [ErrandLease].self) { return (known, nil) }
    let subject = try await subject()
    return (try await context.once(Self.leases) { try wants(subject) }, subject)
  }

  /// What the jobs whose scripts are run need, and over that what the run is asked to have.
  private func wants(_ subject: Subject) throws -> [ErrandLease] {
    let jobs = subject.selection.targets.flatMap { target in
      subject.resolved.group(target.instance.group)?.jobs.filter { $0.name == target.script } ?? []
    }
    let own = jobs.reduce(into: []) { $0 = ErrandLease.merged($0, with: $1.spec.leases) }
    let wants = ErrandLease.merged(own, with: order.run.leases ?? [])
    var prefixes: [String: ErrandLease] = [:]
    for want in wants {
      if let other = prefixes.updateValue(want, forKey: want.variablePrefix) {
        throw DirectorFailure.errand(
          "Errand '\(order.errand)' calls two of its leases '\(other.name)' and '\(want.name)', for which there is one "
            + "variable; rename one of them by 'as'")
      }
    }
    return wants
  }

  /// - Parameter first: what is to be run, as it was a moment ago.
  private func runLocked(_ first: Subject? = nil) async throws -> String? {
    try await context.locked(
      deciding: subject, beginningWith: first, claims: { claimed.resources($0.selection.targets) }
    ) { subject in
      try await begin()
      for warning in subject.selection.warnings { try await context.warn(warning) }
      let changes = ErrandChanges(
        director: director, context: context, order: order, wants: hand?.leases.map(\.want) ?? [])
      if try await changes.begin(subject.selection.targets, of: subject.resolved) == .unchanged {
        return ErrandChanges.skipped
      }
      try await ErrandOutput.begin(subject.selection.targets.map(\.instance), context)
      let execution = ErrandExecution(
        director: director, context: context, order: order,
        journal: try await OutputJournal.open(context.output, isFresh: !context.hasBegun), hand: hand)
      let preparation = ErrandPreparation(
        director: director, context: context, resolved: subject.resolved, leases: hand?.spec)
      let batch = ErrandBatch(context: context, run: order.run)
      let (outcomes, failure) = try await batch.run(subject.selection.targets) { target, part in
        guard target.needsVM else { return try await execution.run(target, part) }
        return try await runOnOwnVM(target, part, preparation, execution)
      }
      try await context.output.result(outcomes.flatMap { $0.line(errand: order.errand) })
      if let lease = order.poolLease { try await director.keep(outcomes.compactMap(\.answer).first, of: lease) }
      // What was written is the result also of a run that somebody ended, or that failed on other instances.
      if let failure { throw failure }
      try context.cancellation.check()
      try await changes.end(outcomes, subject.selection.targets, of: subject.resolved)
      return ErrandOutcome.summary(outcomes)
    }
  }

  /// Says in the event output what started it, when no person did.
  private func tellCause() async throws {
    guard let cause = context.cause else { return }
    _ = try await context.once("cause") {
      let stage = context.stage("Started by \(cause.text(parent: context.parent))", total: 1)
      try await stage.step("\(order.deployment)/\(cause.name)") { _ in }
      return true
    }
  }

  // MARK: Own VM

  private func runOnOwnVM(
    _ target: ErrandSelection.Target, _ part: ErrandBatch.Part, _ preparation: ErrandPreparation,
    _ execution: ErrandExecution
  ) async throws -> ErrandOutcome {
    let instance = target.instance
    let failure = "failure \(instance.id)"
    // The last server was killed when nothing was left to do but to remove the VM.
    if let outcome = try await context.known(ErrandExecution.outcome(instance), as: ErrandOutcome.self) {
      try await removeVM(instance)
      return outcome
    }
    if let failed = try await context.known(failure, as: ErrandFailure.self) {
      try await removeVM(instance)
      throw failed.error
    }
    do {
      if try await !execution.hasBegun(target) {
        try context.cancellation.check()
        if part.haste.isRequested {
          try await removeVM(instance)
          return .notRun(instance)
        }
        try await bringUp(target, part, preparation)
      }
      let outcome = try await execution.run(target, part)
      try await removeVM(instance)
      return outcome
    } catch {
      // The server stops: the VM stays, since the next server goes on with it.
      if Task.isCancelled { throw error }
      _ = try await context.once(failure) { ErrandFailure(error) }
      do {
        try await removeVM(instance)
      } catch {
        if Task.isCancelled { throw error }
        try await context.warn("The VM of \(instance.label) cannot be deleted: \(error)")
      }
      throw error
    }
  }

  /// Makes the VM, or brings the one that was kept to where it should be.
  private func bringUp(
    _ target: ErrandSelection.Target, _ part: ErrandBatch.Part, _ preparation: ErrandPreparation
  ) async throws {
    let instance = target.instance
    let prepared = try await preparation.result(part.targets.filter(\.needsVM).map(\.instance))
    let (resolved, rendered) = (prepared.resolved, prepared.rendered)
    let updater = InstanceUpdater(
      director: director, context: context, resolved: resolved, packages: prepared.packages, rendered: rendered)
    let update = try resolved.update(
      of: instance, rendered: InstanceRenderer.digests(of: rendered[instance.id] ?? []))
    if !update.creationSteps.isEmpty {
      let stage = context.stage("Creating missing vms", total: 1)
      try await stage.step(instance.label) {
        _ = try await updater.take(update.creationSteps, update, offset: 0, $0)
      }
    }
    let stage = context.stage("Updating instance", tags: [instance.group], total: 1)
    try await stage.step(instance.label) { try await updater.update(update, $0) }
  }

  private func removeVM(_ instance: ResolvedInstance) async throws {
    guard !order.run.keepAlive else { return }
    let record = try await records.instances.require(instance.record.documentName).body
    let base = record.progress?.work == .removal ? try record.planned(by: context.id) : record
    guard base.vm != nil else { return }
    let stage = context.stage("Deleting errand VM", total: 1)
    try await stage.step(instance.label) { reporter in
      var worker = InstanceWorker(
        director: director, context: context.withoutCancellation, record: record, spec: nil, order: nil, recipe: "",
        stemcell: "", tracking: .init(work: .removal, base: base), report: { try await reporter.status($0) })
      try await worker.take(InstanceDeletion(errandVMOf: base).steps)
    }
  }
}
