import Formats
import Logging
import Processes
import Surroundings

/// Carries out for one service what its ``ServiceMachine`` decides: runs its programs, watches its process, keeps its
/// timers. Services do not wait for each other here.
actor ServiceDriver {
  /// What a driver needs of the supervisor.
  struct Hooks: Sendable {
    var holdDependents: @Sendable (String) async -> Void
    var releaseDependents: @Sendable (String) async -> Void
    var report: @Sendable (ServiceAlert) -> Void
    /// Something changed that has to survive a restart.
    var changed: @Sendable (String, ServiceMemory) async -> Void
  }

  nonisolated let definition: ServiceDefinition
  private let pidfile: Pidfile?
  private let hooks: Hooks
  private let surroundings: Surroundings
  private let logger: Logger
  private var machine: ServiceMachine
  private var known: ProcessIdentity?
  private var tasks: [Task<Void, Never>] = []
  private var programs: [ServiceMachine.Program: ServiceProgramRun] = [:]
  private var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
  private var nextWaiter = 0
  private var remembered: ServiceMemory?
  private var sample: UsageSample?
  private var isClosed = false

  init(
    _ definition: ServiceDefinition, memory: ServiceMemory?, hooks: Hooks, surroundings: Surroundings, logger: Logger
  ) {
    self.definition = definition
    self.hooks = hooks
    self.surroundings = surroundings
    self.logger = logger
    machine = ServiceMachine(definition)
    known = memory?.process
    remembered = memory
    if case .process(let path) = definition.kind { pidfile = Pidfile(path) } else { pidfile = nil }
  }

  /// Whether its process is there, going by the pidfile.
  func isThere() -> Bool { pidfile?.process(known: known) != nil }

  var isMonitored: Bool { machine.phase != .unmonitored }
  var isRunning: Bool { if case .running = machine.phase { true } else { false } }

  /// Tells the machine and does what it says.
  func handle(_ event: ServiceMachine.Event) async {
    guard !isClosed else { return }
    let epoch = machine.epoch
    let found = pidfile?.process(known: known)
    let actions = machine.handle(event, found: found, now: surroundings.elapsed())
    if machine.epoch != epoch {
      for task in tasks { task.cancel() }
      tasks = []
    }
    if case .running(let process) = machine.phase { known = process }
    for action in actions { perform(action) }
    await remember()
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
    wake()
  }

  private func perform(_ action: ServiceMachine.Action) {
    switch action {
    case .run(let program): run(program)
    case .watch(let process):
      later {
        try await process.waitForExit()
      } then: {
        .died
      }
    case .look(let interval):
      later { [surroundings] in
        try await surroundings.sleep(interval)
      } then: {
        .looked
      }
    case .timeout(let limit):
      later { [surroundings] in
        try await surroundings.sleep(limit)
      } then: {
        .timedOut
      }
    case .pause(let length):
      later { [surroundings] in
        try await surroundings.sleep(length)
      } then: {
        .pauseOver
      }
    case .holdDependents:
      later { [hooks, name = definition.name] in
        await hooks.holdDependents(name)
      } then: {
        .dependentsHeld
      }
    case .releaseDependents:
      Task { [hooks, name = definition.name] in await hooks.releaseDependents(name) }
    case .report(let event, let action, let text): report(event, action, text)
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

  private func report(_ event: ServiceAlert.Event, _ action: ServiceAlert.Action, _ text: String) {
    logger.info(
      "service event",
      metadata: [
        "service": .string(definition.name), "event": .string(event.rawValue), "action": .string(action.rawValue),
        "description": .string(text),
      ])
    hooks.report(
      ServiceAlert(service: definition.name, event: event, action: action, description: text, date: surroundings.now()))
  }

  private func run(_ program: ServiceMachine.Program) {
    // One that still runs does what was asked for; a second one beside it could only do harm.
    if let current = programs[program], current.isAlive { return }
    guard let description = program == .start ? definition.start : definition.stop else { return }
    let run: ServiceProgramRun
    do {
      run = try ServiceProgramRun(
        description, service: definition.name, event: program == .start ? "Started" : "Stopped", pid: known?.pid,
        now: surroundings.now())
    } catch {
      let problem = "\(error)"
      Task { await self.handle(.programEnded(program, problem: problem, couldNotRun: true)) }
      return
    }
    programs[program] = run
    Task {
      let problem = await run.problem()
      await self.ended(program, run, problem)
    }
  }

  private func ended(_ program: ServiceMachine.Program, _ run: ServiceProgramRun, _ problem: String?) async {
    guard programs[program] == run else { return }
    programs[program] = nil
    await handle(.programEnded(program, problem: problem, couldNotRun: false))
  }

  private func remember() async {
    let memory = ServiceMemory(isMonitored: isMonitored, process: known)
    guard memory != remembered else { return }
    remembered = memory
    await hooks.changed(definition.name, memory)
  }

  /// The service as it is now.
  func status(_ table: ProcessTable, memoryTotal: Int, processors: Int) -> ServiceStatus {
    var status = ServiceStatus(
      name: definition.name, groups: definition.groups, monitoring: .yes, failure: machine.failure,
      isPending: !machine.isSettled, pid: nil, usage: nil)
    switch machine.phase {
    case .unmonitored, .held: status.monitoring = .no
    case .preparing, .starting: status.monitoring = machine.failure == nil ? .starting : .yes
    default: break
    }
    guard case .running(let process) = machine.phase, let usage = table.usage(ofTreeAt: process.pid) else {
      sample = nil
      return status
    }
    let now = UsageSample(process: process, cpuTime: usage.cpuTime, taken: surroundings.elapsed())
    status.pid = process.pid
    status.usage = ServiceUsage(
      uptime: usage.uptime, memoryKilobytes: usage.totalResidentKilobytes,
      memoryPercent: memoryTotal > 0 ? 100 * Double(usage.totalResidentKilobytes) / Double(memoryTotal) : 0,
      cpuPercent: now.percent(since: sample, uptime: usage.uptime) / Double(max(1, processors)))
    sample = now
    return status
  }
}

/// CPU time at one moment, to be compared with a later one.
struct UsageSample: Sendable, Hashable {
  let process: ProcessIdentity
  let cpuTime: Duration
  let taken: Duration

  /// Of one CPU, since an earlier sample of the same process, or else since its start.
  func percent(since earlier: UsageSample?, uptime: Duration) -> Double {
    var used = cpuTime
    var span = uptime
    if let earlier, earlier.process == process, taken - earlier.taken > .milliseconds(100) {
      used = cpuTime - earlier.cpuTime
      span = taken - earlier.taken
    }
    guard span > .zero, used > .zero else { return 0 }
    return 100 * (used / span)
  }
}
