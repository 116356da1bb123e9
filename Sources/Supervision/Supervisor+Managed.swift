import Files
import Formats
import Logging
import Processes
import Surroundings

/// What an agent does with all services of the group `vcap` at once (`reference/agent.md 14`).
extension Supervisor {
  /// The names of the managed services, in the order of their files.
  public var managedServices: [String] { definitions.filter(\.isManaged).map(\.name) }

  /// Starts all managed services and takes away the mark that they were stopped. Does not wait until they run: their
  /// state says so.
  public func startAll() async throws {
    for name in managedServices {
      Task { try? await self.start(name) }
    }
    try Files.remove(paths.stoppedMark)
  }

  /// No longer watches any managed service, so that they may end without being started again.
  public func unmonitorAll() async throws {
    for name in managedServices { try await unmonitor(name) }
  }

  /// Stops all managed services, those first on which no other depends, marks that they are stopped, and waits until
  /// all are gone.
  ///
  /// - Throws: ``DroverError`` when some do not end, or not within the budget.
  public func stopAndWait(budget: Duration = .seconds(300)) async throws {
    let names = managedServices
    try Files.makeFolder("\(paths.base)/monit")
    try Files.replace(paths.stoppedMark, with: [], mode: 0o644)
    let finished = try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        await withTaskGroup(of: Void.self) { stops in
          for name in names { stops.addTask { try? await self.stop(name) } }
        }
        return true
      }
      group.addTask { [surroundings] in
        try await surroundings.sleep(budget)
        return false
      }
      defer { group.cancelAll() }
      return try await group.next() ?? false
    }
    let status = await status()
    let left = status.filter { names.contains($0.name) && ($0.monitoring != .no || $0.isPending) }.map(\.name)
    if !finished || !left.isEmpty {
      throw DroverError(
        .timeout, "Timed out waiting for services '\(left.joined(separator: ", "))' to stop after 5 minutes")
    }
    let failed = status.filter { names.contains($0.name) && $0.failure != nil }
    if !failed.isEmpty {
      let reasons = failed.map { "\($0.name): \($0.failure?.message ?? "")" }.joined(separator: "; ")
      throw DroverError(
        .failed, "Stopping services '\(failed.map(\.name).joined(separator: ", "))' errored",
        cause: DroverError(.failed, reasons))
    }
  }

  /// All services as they are now, in the order of their files.
  public func status() async -> [ServiceStatus] {
    let table = ProcessTable.snapshot()
    let memory = SystemMemory.totalKilobytes()
    let processors = SystemMemory.processors()
    var all: [ServiceStatus] = []
    for name in order {
      guard let driver = drivers[name] else { continue }
      var status = await driver.status(table, memoryTotal: memory, processors: processors)
      status.pendingAction = pending[name]?.action
      all.append(status)
    }
    return all
  }

  /// The machine's own figures.
  public func machine() async -> MonitMachine {
    MonitMachine(await readings.all(), SystemMemory.read(), processors: SystemMemory.processors())
  }

  /// The state of the managed services as a whole.
  public func jobState() async -> JobState {
    let managed = Set(managedServices)
    return JobState.of(
      await status().filter { managed.contains($0.name) }, isStopped: Files.isVisible(paths.stoppedMark))
  }
}
