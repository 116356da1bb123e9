import Files
import Formats
import Logging
import Processes
import Surroundings

/// Carries out for one service what its ``ServiceMachine`` and its tests decide: runs its programs, watches its process,
/// keeps its timers. Services do not wait for each other here.
actor ServiceDriver {
  /// What a driver needs of the supervisor.
  struct Hooks: Sendable {
    var holdDependents: @Sendable (String) async -> Void
    var releaseDependents: @Sendable (String) async -> Void
    /// Lets go of a service that is held, when all that it depends on runs.
    var checkDependencies: @Sendable (String) async -> Void
    /// A test wants something that concerns other services, too.
    var act: @Sendable (ServiceTest.Action, String) async -> Void
    var report: @Sendable (ServiceAlert) -> Void
  }

  /// What all drivers share.
  struct Setting: Sendable {
    var paths: VMPaths
    var memory: SupervisorMemoryFile
    var readings: MachineReadings
    /// monit's: how often tests are made.
    var cycle: Duration
    var surroundings: Surroundings
    var logger: Logger
  }

  nonisolated let definition: ServiceDefinition
  let setting: Setting
  let hooks: Hooks
  let log: ServiceLog
  let probe: ServiceProbe
  private let pidfile: Pidfile?
  /// Why the pidfile could not be read, so that it is said once.
  private var complaint: String?
  private let search: ProcessSearch?
  var machine: ServiceMachine
  var tests: ServiceTests
  var limits: RestartLimits
  var known: ProcessIdentity?
  var programs: [ServiceMachine.Program: ServiceProgramRun] = [:]
  /// Programs that are being ended, after which another one may be run.
  var endings: [ServiceMachine.Program: Task<Void, Never>] = [:]
  var intents: [ServiceMachine.Program: Int] = [:]
  var cycles: Task<Void, Never>?
  var samples = UsageSamples()
  var collected: Timestamp?
  private var tasks: [Task<Void, Never>] = []
  private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  private var nextWaiter = 0
  private(set) var isClosed = false

  init(_ definition: ServiceDefinition, hooks: Hooks, setting: Setting) {
    self.definition = definition
    self.setting = setting
    self.hooks = hooks
    log = ServiceLog(service: definition.name, paths: setting.paths)
    probe = ServiceProbe(definition, machine: setting.readings, surroundings: setting.surroundings)
    let memory = setting.memory[definition.name]
    known = memory?.process
    tests = ServiceTests(definition.tests)
    limits = RestartLimits(definition.tests, restarts: memory?.restarts ?? 0, cycles: memory?.cycles ?? 0)
    if case .process(let path) = definition.kind { pidfile = Pidfile(path) } else { pidfile = nil }
    if case .processMatching(let pattern) = definition.kind {
      search = (try? RegularExpression(pattern)).map { ProcessSearch($0, definition) }
    } else {
      search = nil
    }
    programs = Self.running(definition, memory, log)
    intents = (memory?.programs ?? [:]).filter { [programs] in programs[$0.key] != nil }
    machine = ServiceMachine(definition, running: Set(programs.keys), cycle: setting.cycle)
  }

  /// What is there: the process, going by the pidfile or its command line, or the thing.
  func presence() -> ServicePresence? {
    switch definition.kind {
    case .process: pidfile.flatMap(process).map { .process($0) }
    case .processMatching: search?.process(known: known).map { .process($0) }
    case .file(let path): (try? FileFacts(path))?.kind == .file ? .thing : nil
    case .directory(let path): (try? FileFacts(path))?.kind == .folder ? .thing : nil
    case .device(let path): (try? FilesystemUse(path)) == nil ? nil : .thing
    case .host, .system: .thing
    }
  }

  /// A pidfile that cannot be read says nothing: the process that is known counts for as long as it lives.
  private func process(_ pidfile: Pidfile) -> ProcessIdentity? {
    do {
      let process = try pidfile.process(known: known)
      complaint = nil
      return process
    } catch {
      if complaint != "\(error)" {
        setting.logger.error(
          "cannot read a pidfile", metadata: ["service": .string(definition.name), "error": .string("\(error)")])
      }
      complaint = "\(error)"
      return known.flatMap { $0.isAlive ? $0 : nil }
    }
  }

  func isThere() -> Bool { presence() != nil }

  var isMonitored: Bool { machine.phase != .unmonitored }
  /// What has become of a start.
  enum Standing { case running, heldBack, underWay, ended, closed }

  var standing: Standing {
    if isClosed { return .closed }
    return switch machine.phase {
    case .running: .running
    case .held, .waiting: .heldBack
    default: machine.isSettled ? .ended : .underWay
    }
  }
  var isRunning: Bool { if case .running = machine.phase { true } else { false } }

  /// Begins to wait for the programs that run since an earlier life of the agent.
  func attach() {
    for (program, run) in programs { follow(program, run) }
  }

  /// Tells the machine and does what it says.
  func handle(_ event: ServiceMachine.Event) async {
    guard !isClosed else { return }
    let epoch = machine.epoch
    let actions = machine.handle(event, found: presence(), now: setting.surroundings.elapsed())
    if machine.epoch != epoch {
      for task in tasks { task.cancel() }
      tasks = []
    }
    if case .running(.process(let process)) = machine.phase { known = process }
    if machine.phase == .unmonitored {
      tests.reset()
      limits.reset()
    }
    // What is about to be done is on record before it is.
    for case .run(let program) in actions where programs[program]?.isAlive != true {
      intents[program] = setting.surroundings.now().seconds
    }
    remember()
    for action in actions { perform(action) }
    keepCycles()
    if machine.isSettled { wake() }
  }

  /// Waits until nothing is being carried out, or the task is cancelled.
  ///
  /// - Returns: what is wrong then.
  func settled() async -> ServiceFailure? {
    nextWaiter += 1
    let id = nextWaiter
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if machine.isSettled || isClosed || Task.isCancelled {
          continuation.resume()
        } else {
          waiters[id] = continuation
        }
      }
    } onCancel: {
      Task { await self.wake(id) }
    }
    return machine.failure
  }

  private func wake(_ id: Int) { waiters.removeValue(forKey: id)?.resume() }

  private func wake() {
    for waiter in waiters.values { waiter.resume() }
    waiters = [:]
  }

  /// Stops watching; the service itself is left as it is.
  func close() {
    isClosed = true
    for task in tasks { task.cancel() }
    tasks = []
    cycles?.cancel()
    cycles = nil
    wake()
  }

  private func perform(_ action: ServiceMachine.Action) {
    switch action {
    case .run(let program): run(program)
    case .end(let program): end(program)
    case .watch(.process(let process)):
      later {
        try await process.waitForExit()
      } then: {
        .died
      }
    case .watch(.thing): break  // looked at in every cycle
    case .look(let interval): post(.looked, after: interval)
    case .timeout(let limit): post(.timedOut, after: limit)
    case .pause(let length): post(.pauseOver, after: length)
    case .holdDependents:
      later { [hooks, name = definition.name] in
        await hooks.holdDependents(name)
      } then: {
        .dependentsHeld
      }
    case .releaseDependents:
      Task { [hooks, name = definition.name] in await hooks.releaseDependents(name) }
    case .checkDependencies:
      Task { [hooks, name = definition.name] in await hooks.checkDependencies(name) }
    case .report(let event, let action, let text): report(event, action, text)
    case .countRestart:
      limits.restarted()
      remember()
    }
  }

  private func post(_ event: ServiceMachine.Event, after time: Duration) {
    later { [surroundings = setting.surroundings] in
      try await surroundings.sleep(time)
    } then: {
      event
    }
  }

  /// Posts an event after something, unless the phase has changed until then.
  private func later(
    _ body: @escaping @Sendable () async throws -> Void, then event: @escaping @Sendable () -> ServiceMachine.Event
  ) {
    let epoch = machine.epoch
    tasks.append(
      Task {
        guard (try? await body()) != nil else { return }
        await self.handle(event(), ifStill: epoch)
      })
  }

  private func handle(_ event: ServiceMachine.Event, ifStill epoch: Int) async {
    if machine.epoch == epoch { await handle(event) }
  }

  func report(_ event: ServiceEvent, _ action: ServiceAlert.Action, _ text: String) {
    setting.logger.info(
      "service event",
      metadata: [
        "service": .string(definition.name), "event": .string(event.name), "action": .string(action.rawValue),
        "description": .string(text),
      ])
    hooks.report(
      ServiceAlert(
        service: definition.name, event: event, action: action, description: text, date: setting.surroundings.now()))
  }

  func remember() {
    // From the moment that somebody wants it stopped, it is not to be started again.
    let isWanted =
      switch machine.phase {
      case .unmonitored, .stopping(_, .unmonitored), .clearing(.unmonitored), .abandoning(.unmonitored): false
      default: true
      }
    let memory = ServiceMemory(
      isMonitored: isWanted, process: known, programs: intents, restarts: limits.restarts, cycles: limits.cycles)
    do {
      try setting.memory.set(definition.name, memory)
    } catch {
      setting.logger.error("cannot keep the state of services", metadata: ["error": .string("\(error)")])
    }
  }
}
