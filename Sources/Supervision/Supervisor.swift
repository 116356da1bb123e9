import Files
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
/// let supervisor = try Supervisor(paths: VMPaths(), surroundings: .system, logger: logger)
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
  /// What has been asked for and is not done yet, by service.
  private(set) var pending: [String: PendingAction] = [:]
  private var nextPending = 0
  private var loads = 0
  /// Services that are to be stopped as soon as what depends on them is, and by how many wishes.
  private(set) var stopping: [String: Int] = [:]
  /// How often services have been held back, so that who has looked meanwhile knows that it has to look again.
  private var holds = 0
  /// When this supervisor began, and what tells it from earlier ones.
  public nonisolated let began: Timestamp

  struct PendingAction: Sendable, Hashable {
    let id: Int
    let action: ServiceAction
  }
  private let setting: ServiceDriver.Setting
  var readings: MachineReadings { setting.readings }
  private let alertSink: AsyncStream<ServiceAlert>.Continuation

  /// What happens to services, for one reader; the latest 5000 are kept until they are read.
  public nonisolated let alerts: AsyncStream<ServiceAlert>

  /// - Parameter cycle: how often the tests of control files are made; monit's is ten seconds.
  /// - Throws: when what an earlier one remembered cannot be read.
  public init(paths: VMPaths, cycle: Duration = .seconds(10), surroundings: Surroundings, logger: Logger) throws {
    self.paths = paths
    self.surroundings = surroundings
    self.logger = logger
    began = surroundings.now()
    setting = ServiceDriver.Setting(
      paths: paths, memory: try SupervisorMemoryFile(path: paths.supervisorMemory, logger: logger),
      readings: MachineReadings(surroundings: surroundings), cycle: cycle, surroundings: surroundings, logger: logger)
    (alerts, alertSink) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(5000))
  }

  // MARK: The set of services

  /// Reads the control files of all jobs and takes what they say for the set of services.
  ///
  /// - Throws: when files have mistakes. What the others say counts all the same, and the services that such a file
  ///   described before are left as they are. Services whose names are taken or whose dependencies are missing are not
  ///   watched.
  public func loadControlFiles() async throws {
    loads += 1
    var services: [ServiceDefinition] = []
    var mistakes: [DroverError] = []
    for name in try Files.names(in: paths.controlFiles) where name.hasSuffix(".monitrc") {
      let path = "\(paths.controlFiles)/\(name)"
      do {
        services += try ControlFile.parse(
          String(decoding: Files.read(path, limit: 1 << 20), as: UTF8.self), file: path)
      } catch let error as DroverError {
        mistakes.append(error)
        services += definitions.filter { $0.place.hasPrefix("\(path) line ") }
      }
    }
    // A service that another one needs may be described in the very file that has a mistake.
    let usable = ServiceOrder.usable(services)
    mistakes += usable.mistakes
    try await load(usable.services)
    if let first = mistakes.first {
      throw mistakes.count == 1
        ? first : DroverError(.invalid, mistakes.map(\.message).joined(separator: "; "))
    }
  }

  /// Replaces the set of services. Those that are as before are left alone; those that are gone are no longer watched,
  /// but not stopped; new ones are adopted when they run and started when they do not.
  ///
  /// - Throws: when names are not unique or a dependency is missing; then nothing has changed.
  public func load(_ services: [ServiceDefinition]) async throws {
    try ServiceOrder.check(services)
    let wanted = Dictionary(services.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    let gone = drivers.filter { $0.value.definition != wanted[$0.key] }
    let known = Set(drivers.keys)
    drivers = drivers.filter { gone[$0.key] == nil }
    order = services.map(\.name)
    for driver in gone.values { await driver.close() }
    for service in services where drivers[service.name] == nil { drivers[service.name] = makeDriver(service) }
    for name in gone.keys where drivers[name] == nil { forget(name) }
    let fresh = services.compactMap { gone.keys.contains($0.name) || !known.contains($0.name) ? drivers[$0.name] : nil }
    for driver in fresh { await driver.attach() }
    for driver in fresh where setting.memory[driver.definition.name]?.isMonitored ?? true {
      // Adoption needs nobody else; what has to be started waits for what it depends on.
      if await driver.isThere() {
        await driver.handle(.monitor)
      } else {
        let name = driver.definition.name
        Task { try? await self.chain(.monitor, name) }
      }
    }
  }

  private func forget(_ name: String) {
    do {
      try setting.memory.set(name, nil)
    } catch {
      logger.error("cannot keep the state of services", metadata: ["error": .string("\(error)")])
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
      checkDependencies: { [weak self] in await self?.checkDependencies(of: $0) },
      act: { [weak self] in await self?.act($0, $1) },
      report: { [alertSink] in alertSink.yield($0) })
    return ServiceDriver(service, hooks: hooks, setting: setting)
  }

  /// Notes that something is asked for, until it is done.
  func noting<Result: Sendable>(
    _ action: ServiceAction, _ name: String, _ body: () async throws -> Result
  ) async throws -> Result {
    let noted = note(action, name)
    defer { forget(noted, name) }
    return try await body()
  }

  func note(_ action: ServiceAction, _ name: String) -> PendingAction {
    nextPending += 1
    let noted = PendingAction(id: nextPending, action: action)
    pending[name] = noted
    return noted
  }

  func forget(_ noted: PendingAction, _ name: String) {
    if pending[name] == noted { pending[name] = nil }
  }

  /// Stops what depends on a service, tells it to stop, too, and lets go of the others if it runs on nevertheless.
  func tell(_ driver: ServiceDriver, _ event: ServiceMachine.Event) async {
    let name = driver.definition.name
    await stopping(name) {
      await hold(dependentsOf: name)
      await driver.handle(event)
    }
    await release(dependentsOf: name)
  }

  /// Lets nothing that depends on a service start while something is done that ends with stopping it.
  func stopping(_ name: String, _ body: () async -> Void) async {
    holds += 1
    stopping[name, default: 0] += 1
    await body()
    let left = (stopping[name] ?? 1) - 1
    stopping[name] = left > 0 ? left : nil
  }

  func hold(dependentsOf name: String) async {
    holds += 1
    for dependent in ServiceOrder.dependents(of: name, in: definitions) {
      guard let driver = drivers[dependent] else { continue }
      await tell(driver, .hold)
      _ = await driver.settled()
    }
  }

  func release(dependentsOf name: String) async {
    for dependent in ServiceOrder.dependents(of: name, in: definitions) { await checkDependencies(of: dependent) }
  }

  func checkDependencies(of name: String) async {
    if let driver = drivers[name] { _ = await checkDependencies(driver) }
  }

  /// Whether something that a service depends on is down for now. What is on its way is waited for.
  func isBlocked(_ driver: ServiceDriver) async throws -> Bool {
    for name in driver.definition.dependencies {
      guard let dependency = drivers[name] else { return true }
      // It is about to be stopped, for a restart perhaps.
      while stopping[name] != nil { try await surroundings.sleep(ServiceMachine.lookInterval) }
      switch await dependency.standing {
      case .running: break
      case .underWay: _ = await dependency.settled()
      case .heldBack: if try await isBlocked(dependency) { return true }
      case .ended, .closed: return true
      }
    }
    return false
  }

  /// Lets a service start that is held back, when all that it depends on runs.
  ///
  /// - Returns: whether all runs.
  func checkDependencies(_ driver: ServiceDriver) async -> Bool {
    var seen = -1
    while seen != holds {
      seen = holds
      for dependency in driver.definition.dependencies {
        guard stopping[dependency] == nil, await drivers[dependency]?.isRunning == true else { return false }
      }
    }
    await driver.handle(.release)
    return true
  }

  /// Changes whenever the control files are read.
  public var incarnation: Int { began.seconds + loads }

  func driver(_ name: String) throws -> ServiceDriver {
    guard let driver = drivers[name] else {
      throw DroverError(
        .notFound, "there is no service '\(name)'; there are: \(order.isEmpty ? "none" : order.joined(separator: ", "))"
      )
    }
    return driver
  }

  var definitions: [ServiceDefinition] { order.compactMap { drivers[$0]?.definition } }
}
