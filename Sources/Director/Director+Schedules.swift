import Documents
public import Formats
import Manifests
import Surroundings

/// Schedules, as the API offers them.
extension Director {
  /// All schedules, or those of a deployment, by their names.
  public func schedules(deployment: String?) async throws -> Value {
    var deployments = try await records.deployments.list().map(\.body)
    if let deployment { deployments = [try await self.deployment(deployment)] }
    let errands = try await deployments.asyncMap { try await ScheduledErrand.all(of: $0, variables) }.flatMap { $0 }
    return .array(try await errands.asyncMap { try await description(of: $0) })
  }

  private func description(of errand: ScheduledErrand) async throws -> Value {
    let record = try await records.schedules.get(errand.name)?.body ?? errand.beginning
    let schedule = errand.schedule
    let isPaused = record.paused ?? schedule.isPaused
    var next: Int?
    if !isPaused {
      let decider = ScheduleDecider(
        schedule: schedule, zone: try await engines.zones.rules(schedule.timeZone),
        name: errand.name)
      next = decider.wake(decided: max(record.decided, engines.surroundings.now().seconds - 1))
    }
    var last: Value = .null
    if let id = record.runs.last, let task = try await tasks.find(id) {
      last = [
        "task": .int(id), "state": .string(task.state.rawValue),
        "exit_code": Value(ErrandOutcome.worst(of: try await outcomes(of: id))),
        "tick": Value(task.cause?.tick), "started_at": Value(task.startedAt),
        "finished_at": Value(task.finishedAt),
      ]
    }
    return [
      "deployment": .string(errand.deployment), "name": .string(errand.entry.name),
      "errand": .string(errand.entry.errand), "cron": .string(schedule.cron.text),
      "time_zone": .string(schedule.timeZone), "overlap": .string(schedule.overlap.rawValue),
      "jitter": .int(schedule.jitterSeconds), "missed": .string(schedule.missed.rawValue),
      "keep_last": .int(schedule.keepLast), "paused": .bool(isPaused),
      "paused_by": Value(record.pausedBy),
      "next_run": Value(next), "last_run": last, "runs": .array(record.runs.map { .int($0) }),
      "skipped": record.skipped.map { ["tick": .int($0), "reason": Value(record.skipReason)] }
        ?? .null,
    ]
  }

  private func schedule(_ name: String, in deployment: String) async throws -> ScheduledErrand {
    let all = try await ScheduledErrand.all(of: try await self.deployment(deployment), variables)
    guard let errand = all.first(where: { $0.entry.name == name }) else {
      throw DirectorFailure(
        510000, status: 404,
        "Deployment '\(deployment)' has no schedule '\(name)'"
          + NearNames.hint(name, among: all.map(\.entry.name)))
    }
    return errand
  }

  /// Ticks from now on are left out, until somebody resumes it. What runs goes on.
  public func pauseSchedule(_ name: String, in deployment: String, user: String) async throws {
    let errand = try await schedule(name, in: deployment)
    try await records.schedules.update(errand.name, orCreate: errand.beginning) { record in
      record.paused = true
      record.pausedBy = user
    }
  }

  /// Ticks count again; those that passed meanwhile do not.
  public func resumeSchedule(_ name: String, in deployment: String) async throws {
    let errand = try await schedule(name, in: deployment)
    let now = engines.surroundings.now().seconds
    try await records.schedules.update(errand.name, orCreate: errand.beginning) { record in
      if record.paused ?? errand.schedule.isPaused { record.decided = max(record.decided, now) }
      record.paused = false
      record.pausedBy = nil
    }
  }

  /// Starts a run of a schedule at once, paused or not. Returns its task; it waits for its turn if another one runs.
  public func runSchedule(_ name: String, in deployment: String, user: String) async throws -> Int {
    let errand = try await schedule(name, in: deployment)
    let runs = ScheduleRuns(records: records, tasks: tasks, surroundings: engines.surroundings)
    while true {
      do {
        guard let found = try await records.schedules.get(errand.name) else {
          try await records.schedules.create(errand.name, errand.beginning)
          continue
        }
        return try await runs.start(
          errand, found.body, found, user: user, TaskCause(.demand, name: name))
      } catch  where error.isDocumentStale || error.isDocumentExists {
        try Task.checkCancellation()
      }
    }
  }
}

extension DeploymentManifest {
  /// - Throws: when an errand's schedule is in a time zone that this machine does not know.
  func refuseUnknownZones(_ zones: TimeZones) async throws {
    for entry in errands {
      guard let schedule = entry.schedule else { continue }
      do {
        _ = try await zones.rules(schedule.timeZone)
      } catch let error as DroverError {
        throw DroverError(error.code, "errands: schedule of '\(entry.name)': \(error.message)")
      }
    }
  }
}
