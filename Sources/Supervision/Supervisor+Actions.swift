import Formats
import Logging
import Surroundings

/// What can be asked for one service.
extension Supervisor {
  /// Starts a service and what it depends on, and waits until it runs.
  ///
  /// - Throws: when it is not there in time, with the reason. It is tried again and again nevertheless.
  public func start(_ name: String) async throws {
    _ = try driver(name)
    try await noting(.start, name) { try await chain(.start, name) }
  }

  /// Stops the services that depend on it, and then it, and waits until it is gone. Afterwards it is not monitored.
  ///
  /// - Throws: when it does not end in time, with the reason.
  public func stop(_ name: String) async throws {
    _ = try driver(name)
    try await noting(.stop, name) { try await stopChain(name) }
  }

  /// Stops and starts a service; those that depend on it are stopped before and started after.
  public func restart(_ name: String) async throws {
    let driver = try driver(name)
    try await noting(.restart, name) {
      await tell(driver, .restart)
      if !driver.definition.dependencies.isEmpty { return try await released(driver, while: "restarting") }
      let failure = await driver.settled()
      if await driver.isRunning { return }
      throw await notRunning(driver, failure, while: "restarting")
    }
  }

  /// No longer watches a service and those that depend on it; their processes are left alone.
  public func unmonitor(_ name: String) async throws {
    let driver = try driver(name)
    for dependent in ServiceOrder.dependents(of: name, in: definitions) { try await unmonitor(dependent) }
    await driver.handle(.unmonitor)
  }

  /// Watches a service and what it depends on again, and waits until it runs: what does not run is started.
  public func monitor(_ name: String) async throws {
    _ = try driver(name)
    try await noting(.monitor, name) { try await chain(.monitor, name) }
  }

  /// Does one of these.
  public func perform(_ action: ServiceAction, _ name: String) async throws {
    switch action {
    case .start: try await start(name)
    case .stop: try await stop(name)
    case .restart: try await restart(name)
    case .monitor: try await monitor(name)
    case .unmonitor: try await unmonitor(name)
    }
  }

  /// Does one of these without anybody waiting for it: how it turns out is seen in the service's state.
  func begin(_ action: ServiceAction, _ name: String) {
    let noted = note(action, name)
    Task {
      try? await self.perform(action, name)
      self.forget(noted, name)
    }
  }

  /// Whether it has to wait for what has been asked for before. To stop a service, or to leave it alone, is possible
  /// while it is being started.
  public func isBusy(_ name: String, for action: ServiceAction) -> Bool {
    guard let pending = pending[name]?.action else { return false }
    return action != .unmonitor && (action != .stop || pending == .stop)
  }

  /// Starts or watches what it depends on, and then it; waits until it runs.
  func chain(_ event: ServiceMachine.Event, _ name: String) async throws {
    let driver = try driver(name)
    guard !driver.definition.dependencies.isEmpty else {
      await driver.handle(event)
      let failure = await driver.settled()
      if await driver.isRunning { return }
      throw await notRunning(driver, failure, while: "starting")
    }
    await driver.handle(.want(anew: event == .start))
    var reason: (any Error)?
    for dependency in driver.definition.dependencies {
      guard await driver.isMonitored else { throw await notRunning(driver, nil, while: "starting") }
      // What it depends on is not started anew when it is there. When it does not run now, this one waits until it does.
      do { try await chain(.monitor, dependency) } catch { reason = reason ?? error }
    }
    try await released(driver, reason, while: "starting")
  }

  /// Waits until a service that depends on others runs.
  ///
  /// - Parameter reason: why those do not run, if that is known.
  private func released(_ driver: ServiceDriver, _ reason: (any Error)? = nil, while action: String) async throws {
    while true {
      _ = await checkDependencies(driver)
      let failure = await driver.settled()
      try Task.checkCancellation()
      switch await driver.standing {
      case .running: return
      case .underWay: continue
      case .heldBack:
        // It was held back after it had been looked at, or what it depends on is on its way: once more.
        if await checkDependencies(driver) { continue }
        if try await !isBlocked(driver) {
          try await surroundings.sleep(ServiceMachine.lookInterval)
          continue
        }
        throw if let reason { reason } else { await notRunning(driver, failure, while: action) }
      case .ended: throw await notRunning(driver, failure, while: action)
      case .closed:
        throw DroverError(.failed, "\(action) \(driver.definition.name): its control file was read anew meanwhile")
      }
    }
  }

  private func notRunning(_ driver: ServiceDriver, _ failure: ServiceFailure?, while action: String) async
    -> DroverError
  {
    let reason =
      if let failure { failure.message } else if await driver.isMonitored {
        "what it depends on does not run; it is started as soon as that does"
      } else { "it was stopped meanwhile" }
    return DroverError(.failed, "\(action) \(driver.definition.name): \(reason)")
  }

  private func stopChain(_ name: String) async throws {
    let driver = try driver(name)
    await stopping(name) {
      for dependent in ServiceOrder.dependents(of: name, in: definitions) { try? await stopChain(dependent) }
      await driver.handle(.stop)
    }
    if let failure = await driver.settled() { throw DroverError(.failed, "stopping \(name): \(failure.message)") }
  }

  /// What a test wants.
  func act(_ action: ServiceTest.Action, _ name: String) async {
    do {
      switch action {
      case .restart:
        guard let driver = drivers[name], await driver.isRunning else { return }
        await tell(driver, .restartByTest)
      case .start: try await chain(.start, name)
      case .stop: try await stopChain(name)
      case .unmonitor: try await unmonitor(name)
      case .alert, .exec: break
      }
    } catch {
      logger.warning(
        "a test's action failed", metadata: ["service": .string(name), "error": .string("\(error)")])
    }
  }
}
