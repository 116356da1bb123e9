import Documents
import Formats
import Logging
import Manifests
import Surroundings

/// Watches the schedules of all deployments, with one timer for the earliest tick.
actor Schedules {
  private let records: Records
  private let variables: Variables
  private let runs: ScheduleRuns
  private let zones: TimeZones
  private let surroundings: Surroundings
  private let logger: Logger

  private var errands: [String: ScheduledErrand] = [:]
  private var rules: [String: ZoneRules] = [:]
  private var queue = WakeQueue()
  private var alarm: EndSignal?
  private var work: [Task<Void, Never>] = []

  /// The longest time for which the time of day is believed: clocks are set.
  private static let longestSleep = Duration.seconds(60)
  /// After a failure, in seconds.
  private static let pause = 10

  init(
    records: Records, variables: Variables, tasks: TaskBoard, zones: TimeZones, surroundings: Surroundings,
    logger: Logger
  ) {
    self.records = records
    self.variables = variables
    self.zones = zones
    self.surroundings = surroundings
    self.logger = logger
    runs = ScheduleRuns(records: records, tasks: tasks, surroundings: surroundings)
  }

  func start() {
    work = [
      surroundings.task { await self.watch() },
      surroundings.task { await self.keepTime() },
    ]
  }

  func stop() async {
    let work = work
    for task in work { task.cancel() }
    for task in work { await task.value }
  }

  // MARK: What there is

  /// Follows the deployments and the schedules' records.
  private func watch() async {
    while !Task.isCancelled {
      do {
        let (deployments, revision) = try await records.deployments.listing()
        let known = Set(deployments.map(\.name))
        for name in Set(errands.values.map(\.deployment)).subtracting(known) {
          try await take(nil, of: name)
        }
        for entry in deployments { try await take(entry.body, of: entry.name) }
        try await removeStrays()
        for try await change in records.store.watch(
          [records.deployments.kind, records.schedules.kind], from: revision)
        {
          if change.kind == records.schedules.kind {
            wake(change.name)
          } else {
            try await take(records.deployments.get(change.name)?.body, of: change.name)
          }
        }
        return
      } catch is CancellationError {
        return
      } catch {
        logger.error("the schedules cannot be watched", metadata: ["error": "\(error)"])
        try? await surroundings.sleep(.seconds(Self.pause))
      }
    }
  }

  /// A deployment is new, has changed, or is gone.
  private func take(_ record: DeploymentRecord?, of deployment: String) async throws {
    var found: [ScheduledErrand] = []
    do {
      if let record { found = try await ScheduledErrand.all(of: record, variables) }
    } catch {
      logger.error(
        "the schedules cannot be read",
        metadata: ["deployment": "\(deployment)", "error": "\(error)"])
      // They stay as they are until they can be read again.
      return
    }
    let names = Set(found.map(\.name))
    for name in errands.keys where errands[name]?.deployment == deployment && !names.contains(name) {
      errands[name] = nil
      queue.set(name, nil)
      try await records.schedules.delete(name)
    }
    for errand in found {
      do {
        rules[errand.schedule.timeZone] = try await zones.rules(errand.schedule.timeZone)
        errands[errand.name] = errand
        wake(errand.name)
      } catch {
        logger.error(
          "a schedule cannot be kept",
          metadata: ["schedule": "\(errand.name)", "error": "\(error)"])
      }
    }
  }

  /// Removes records of schedules that went while no server ran.
  private func removeStrays() async throws {
    for entry in try await records.schedules.list() where errands[entry.name] == nil {
      let deployment = try await records.deployments.get(entry.body.deployment)?.body
      // One that cannot be read, or whose time zone is not there, may be so again.
      var errands: [ScheduledErrand] = []
      if let deployment {
        do { errands = try await ScheduledErrand.all(of: deployment, variables) } catch is DroverError { continue }
      }
      if !errands.contains(where: { $0.name == entry.name }) {
        try await records.schedules.delete(entry.name)
      }
    }
  }

  // MARK: Time

  private func wake(_ name: String) {
    guard errands[name] != nil else { return }
    queue.set(name, surroundings.now().seconds)
    alarm?.set()
  }

  private func keepTime() async {
    while !Task.isCancelled {
      let due = queue.take(until: surroundings.now().seconds)
      if !due.isEmpty {
        _ = try? await inParallel(due, atMost: 8) { await self.look($0) }
        continue
      }
      let alarm = EndSignal()
      self.alarm = alarm
      let timer = queue.first().map { time in
        let rest = min(max(.zero, Timestamp(seconds: time) - surroundings.now()), Self.longestSleep)
        let surroundings = surroundings
        return surroundings.task { () async -> Void in
          try? await surroundings.sleep(rest)
          alarm.set()
        }
      }
      await alarm.wait()
      timer?.cancel()
      self.alarm = nil
    }
  }

  private func look(_ name: String) async {
    guard let errand = errands[name], let zone = rules[errand.schedule.timeZone] else { return }
    do {
      let time = try await runs.look(errand, zone: zone)
      // What came meanwhile is looked at first.
      if errands[name]?.schedule == errand.schedule, !queue.isWaiting(name) {
        queue.set(name, time)
      }
    } catch {
      if Task.isCancelled { return }
      logger.error(
        "a schedule cannot be looked at", metadata: ["schedule": "\(name)", "error": "\(error)"])
      if errands[name] != nil, !queue.isWaiting(name) {
        queue.set(name, surroundings.now().seconds + Self.pause)
      }
    }
  }
}
