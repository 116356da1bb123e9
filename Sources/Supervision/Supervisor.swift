import Formats
import Glibc
public import Logging
import Processes
public import Surroundings
import Synchronization

/// Keeps services running as their control files say (design D10): one driver per service, so that a slow start of one
/// never delays another; deaths are noticed at once; processes that run already are adopted.
///
/// ```swift
/// let supervisor = Supervisor(paths: VMPaths(), surroundings: .system, logger: logger)
/// try await supervisor.loadControlFiles()      // adopts what runs, starts what is monitored and does not
/// try await supervisor.startAll()
/// for await alert in supervisor.alerts { … }   // one reader
/// try await supervisor.stopAndWait()
/// ```
public actor Supervisor {
  let paths: VMPaths
  let surroundings: Surroundings
  let logger: Logger
  private(set) var drivers: [String: ServiceDriver] = [:]
  /// Names in the order of their files.
  private(set) var order: [String] = []
  private var memory: SupervisorMemory
  private let alertSink: AsyncStream<ServiceAlert>.Continuation

  /// What happens to services, for one reader; the latest 5000 are kept until they are read.
  public nonisolated let alerts: AsyncStream<ServiceAlert>

  public init(paths: VMPaths, surroundings: Surroundings, logger: Logger) {
    self.paths = paths
    self.surroundings = surroundings
    self.logger = logger
    memory = SupervisorMemory.load(paths.supervisorMemory)
    (alerts, alertSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(5000))
  }

  // MARK: The set of services

  /// Reads the control files of all jobs and takes what they say for the set of services.
  ///
  /// - Throws: when a file has a mistake; then nothing has changed.
  public func loadControlFiles() async throws {
    var services: [ServiceDefinition] = []
    for name in try Files.names(in: paths.controlFiles) where name.hasSuffix(".monitrc") {
      let path = "\(paths.controlFiles)/\(name)"
      services += try ControlFile.parse(String(decoding: Files.read(path, limit: 1 << 20), as: UTF8.self), file: path)
    }
    try await load(services)
  }

  /// Replaces the set of services. Those that are as before are left alone; those that are gone are no longer watched,
  /// but not stopped; new ones are adopted when they run and started when they do not.
  ///
  /// - Throws: when names are not unique or a dependency is missing; then nothing has changed.
  public func load(_ services: [ServiceDefinition]) async throws {
    try ServiceOrder.check(services)
    var kept: [String: ServiceDriver] = [:]
    var fresh: [ServiceDriver] = []
    for service in services {
      if let driver = drivers[service.name], driver.definition == service {
        kept[service.name] = driver
      } else {
        let driver = makeDriver(service)
        kept[service.name] = driver
        fresh.append(driver)
      }
    }
    let gone = drivers.filter { kept[$0.key] !== $0.value }
    drivers = kept
    order = services.map(\.name)
    for driver in gone.values { await driver.close() }
    for name in gone.keys where kept[name] == nil { memory.services[name] = nil }
    saveMemory()
    for driver in fresh where memory.services[driver.definition.name]?.isMonitored ?? true {
      // Adoption needs nobody else; what has to be started waits for what it depends on.
      if await driver.isThere() {
        await driver.handle(.start)
      } else {
        let name = driver.definition.name
        Task { try? await self.start(name) }
      }
    }
  }

  /// Stops watching everything; the services run on. For the end of the agent.
  public func close() async {
    for driver in drivers.values { await driver.close() }
    drivers = [:]
    order = []
    alertSink.finish()
  }

  private func makeDriver(_ service: ServiceDefinition) -> ServiceDriver {
    let hooks = ServiceDriver.Hooks(
      holdDependents: { [weak self] in await self?.hold(dependentsOf: $0) },
      releaseDependents: { [weak self] in await self?.release(dependentsOf: $0) },
      report: { [alertSink] in alertSink.yield($0) },
      changed: { [weak self] in await self?.remember($0, $1) })
    return ServiceDriver(
      service, memory: memory.services[service.name], hooks: hooks, surroundings: surroundings, logger: logger)
  }

  private func remember(_ name: String, _ state: ServiceMemory) {
    guard drivers[name] != nil else { return }
    memory.services[name] = state
    saveMemory()
  }

  private func saveMemory() {
    do {
      try memory.save(paths.supervisorMemory)
    } catch {
      logger.error("cannot keep the state of services", metadata: ["error": .string("\(error)")])
    }
  }

  func driver(_ name: String) throws -> ServiceDriver {
    guard let driver = drivers[name] else {
      throw DroverError(
        .notFound, "there is no service '\(name)'; there are: \(order.isEmpty ? "none" : order.joined(separator: ", "))"
      )
    }
    return driver
  }

  var definitions: [ServiceDefinition] { order.compactMap { drivers[$0]?.definition } }

  // MARK: One service

  /// Starts a service and what it depends on, and waits until it runs.
  ///
  /// - Throws: when it is not there in time, with the reason. It is tried again and again nevertheless.
  public func start(_ name: String) async throws {
    let driver = try driver(name)
    for dependency in driver.definition.dependencies { try await start(dependency) }
    await driver.handle(.start)
    let failure = await driver.settled()
    if await driver.isRunning { return }
    throw DroverError(.failed, "starting \(name): \(failure?.message ?? "it was stopped meanwhile")")
  }

  /// Stops the services that depend on it, and then it, and waits until it is gone. Afterwards it is not monitored.
  ///
  /// - Throws: when it does not end in time, with the reason.
  public func stop(_ name: String) async throws {
    let driver = try driver(name)
    for dependent in ServiceOrder.dependents(of: name, in: definitions) { try? await stop(dependent) }
    await driver.handle(.stop)
    if let failure = await driver.settled() { throw DroverError(.failed, "stopping \(name): \(failure.message)") }
  }

  /// Stops and starts a service; those that depend on it are stopped before and started after.
  public func restart(_ name: String) async throws {
    let driver = try driver(name)
    await hold(dependentsOf: name)
    await driver.handle(.restart)
    let failure = await driver.settled()
    if await driver.isRunning { return }
    throw DroverError(.failed, "restarting \(name): \(failure?.message ?? "it was stopped meanwhile")")
  }

  /// No longer watches a service and those that depend on it; their processes are left alone.
  public func unmonitor(_ name: String) async throws {
    let driver = try driver(name)
    for dependent in ServiceOrder.dependents(of: name, in: definitions) { try await unmonitor(dependent) }
    await driver.handle(.unmonitor)
  }

  /// Watches a service and what it depends on again; what does not run is started. Does not wait for that.
  public func monitor(_ name: String) async throws {
    _ = try driver(name)
    Task { try? await self.start(name) }
  }

  private func hold(dependentsOf name: String) async {
    for dependent in ServiceOrder.dependents(of: name, in: definitions) {
      await hold(dependentsOf: dependent)
      await drivers[dependent]?.handle(.hold)
      _ = await drivers[dependent]?.settled()
    }
  }

  private func release(dependentsOf name: String) async {
    for dependent in ServiceOrder.dependents(of: name, in: definitions) { await drivers[dependent]?.handle(.release) }
  }
}
