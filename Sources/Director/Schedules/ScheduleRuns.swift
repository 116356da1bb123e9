import Documents
import Formats
import Logging
import Manifests
import Surroundings

/// An errand's schedule in a deployment, with what its runs are started from.
struct ScheduledErrand: Sendable {
  var deployment: String
  var entry: ErrandPolicy
  var schedule: ErrandSchedule
  var run: ErrandRun
  /// When the manifest was deployed that says so; ticks count after it.
  var since: Int

  var name: String { ScheduleRecord.documentName(deployment, entry.name) }

  /// The schedules of a deployment.
  static func all(of record: DeploymentRecord, _ variables: Variables) async throws -> [ScheduledErrand] {
    guard let manifest = try await variables.manifest(of: record) else { return [] }
    return manifest.errands.compactMap { entry in
      entry.schedule.map {
        ScheduledErrand(
          deployment: record.name, entry: entry, schedule: $0,
          run: ErrandRun(entry: entry, of: manifest),
          since: record.deployedAt ?? 0)
      }
    }
  }

  /// How far it is before anything was decided.
  var beginning: ScheduleRecord {
    ScheduleRecord(
      deployment: deployment, name: entry.name, definition: schedule.definition, decided: since)
  }
}

/// Starts the runs of schedules, ends and forgets them, and keeps their records.
struct ScheduleRuns: Sendable {
  let records: Records
  let tasks: TaskBoard
  let surroundings: Surroundings

  /// Looks at a schedule: starts a run when a tick is due. Returns when it wants to be looked at again.
  func look(_ errand: ScheduledErrand, zone: ZoneRules) async throws -> Int? {
    let decider = ScheduleDecider(schedule: errand.schedule, zone: zone, name: errand.name)
    while true {
      try Task.checkCancellation()
      do {
        return try await attempt(errand, decider)
      } catch  where error.isDocumentStale || error.isDocumentExists || error.isDocumentMissing {
        // Somebody else was first, another server or a person: again, with what is there now.
      }
    }
  }

  private func attempt(_ errand: ScheduledErrand, _ decider: ScheduleDecider) async throws -> Int? {
    guard let found = try await records.schedules.get(errand.name) else {
      try await records.schedules.create(errand.name, errand.beginning)
      return decider.wake(decided: errand.since)
    }
    var record = found.body
    if record.definition != errand.schedule.definition {
      record.definition = errand.schedule.definition
      record.decided = max(record.decided, errand.since)
    }
    guard !(record.paused ?? errand.schedule.isPaused) else {
      if record != found.body { try await write(record, found) }
      return nil
    }
    let now = surroundings.now().seconds
    if try await endReplaced(
      &record, errand, decider.wake(decided: record.decided).map { $0 <= now } ?? false),
      let decision = decider.decide(decided: record.decided, running: record.open.count, now: now)
    {
      record.decided = decision.decided
      if let reason = decision.skipReason {
        (record.skipped, record.skipReason) = (decision.decided, reason)
      }
      if let tick = decision.start {
        // A schedule is looked at for a moment longer than its deployment is there.
        guard try await records.deployments.get(errand.deployment) != nil else { return nil }
        _ = try await start(
          errand, record, found, user: "drover",
          TaskCause(.schedule, name: errand.entry.name, tick: tick))
        return decider.wake(decided: decision.decided)
      }
    }
    if record != found.body { try await write(record, found) }
    return decider.wake(decided: record.decided)
  }

  private func write(_ record: ScheduleRecord, _ found: DocumentCollection<ScheduleRecord>.Entry)
    async throws
  {
    try await records.schedules.replace(found.name, record, atRevision: found.revision)
  }

  /// Looks which runs have ended, when a tick is due or several were left by a server that was killed, and ends those
  /// that are replaced by a later one. Returns whether a tick is due.
  private func endReplaced(_ record: inout ScheduleRecord, _ errand: ScheduledErrand, _ isDue: Bool)
    async throws -> Bool
  {
    guard isDue || record.open.count > 1 else { return false }
    try await refresh(&record)
    if errand.schedule.overlap == .replace { await end(record.open.dropLast()) }
    return isDue
  }

  private func end(_ ids: some Sequence<Int>) async {
    // One that has ended meanwhile cannot be ended, which is as good.
    for id in ids { try? await tasks.cancel(id) }
  }

  private func refresh(_ record: inout ScheduleRecord) async throws {
    var open: [Int] = []
    for id in record.open {
      if let task = try await tasks.find(id), !task.state.isFinal { open.append(id) }
    }
    record.open = open
  }

  /// Claims the tick and records the run's task in one commit, and starts it.
  ///
  /// - Parameters:
  ///   - record: the schedule as it will be, without the run.
  ///   - found: as it was read.
  func start(
    _ errand: ScheduledErrand, _ record: ScheduleRecord,
    _ found: DocumentCollection<ScheduleRecord>.Entry, user: String,
    _ cause: TaskCause
  ) async throws -> Int {
    var record = record
    try await refresh(&record)
    try await forgetOld(&record, keeping: errand.schedule.keepLast)
    var order = try TaskBoard.Order(
      type: "run_errand",
      description: "run errand \(errand.entry.errand) from deployment \(errand.deployment)",
      user: user, deployment: errand.deployment,
      request: ErrandOrder(
        deployment: errand.deployment, errand: errand.entry.errand, run: errand.run))
    order.cause = cause
    let id = try await tasks.reserveID()
    let before = record.open
    record.runs.append(id)
    record.open.append(id)
    let claim = try records.schedules.replacing(found.name, record, atRevision: found.revision)
    try await tasks.start(order, id: id, along: [claim])
    if errand.schedule.overlap == .replace { await end(before) }
    return id
  }

  /// Forgets the oldest runs that have ended, so that with the new one there are not more than the limit.
  private func forgetOld(_ record: inout ScheduleRecord, keeping limit: Int) async throws {
    let ended = record.runs.filter { !record.open.contains($0) }
    let old = ended.dropLast(limit - 1)
    for id in old { try await tasks.forget(id) }
    record.runs.removeAll { old.contains($0) }
  }
}
