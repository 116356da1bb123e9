import Processes

/// What is to be done about one service: events in, actions out, no I/O.
///
/// ```
///                 ┌────────────── died ──────────────┐
///                 ▼                                  │
/// unmonitored → preparing → starting → running ──────┤
///      ▲            ▲           │         │          │
///      │            └─ pausing ◄┘ late    │ stop     │ (no start program)
///      │                                  ▼          ▼
///      └───────────────────────────── stopping    missing
/// ```
///
/// Every event comes with the process that the pidfile names at that moment. Timers, watches and looks belong to the
/// phase in which they were asked for; when the phase changes, ``epoch`` does, and what they report is void.
struct ServiceMachine: Sendable, Hashable {
  enum Phase: Sendable, Hashable {
    /// Not watched.
    case unmonitored
    /// The services that depend on it are being stopped before it is started.
    case preparing
    /// The start program was run; its process is awaited.
    case starting
    case running(ProcessIdentity)
    /// Waits before it is started again.
    case pausing
    /// Not there, and nothing can start it; it may appear by itself.
    case missing
    /// The stop program was run; the process's end is awaited.
    case stopping(ProcessIdentity, Goal)
    /// To be stopped while the start program still runs, without a process yet.
    case abandoning(Goal)
    /// Stopped because a service it depends on restarts; started again after that.
    case held
  }

  enum Program: Sendable, Hashable { case start, stop }

  enum Goal: Sendable, Hashable { case unmonitored, held, restart }

  enum Event: Sendable, Hashable {
    /// Watch it, and start it when it is not there.
    case start
    case stop
    case restart
    case unmonitor
    /// A service that it depends on restarts, or has done so.
    case hold
    case release
    /// The services that depend on it have been stopped.
    case dependentsHeld
    /// The process that was watched has ended.
    case died
    /// A look that was asked for.
    case looked
    /// The latest start or stop program has ended, or could not be executed; no problem is a good end.
    case programEnded(Program, problem: String?, couldNotRun: Bool)
    case timedOut
    case pauseOver
  }

  enum Action: Sendable, Hashable {
    case run(Program)
    case watch(ProcessIdentity)
    case look(after: Duration)
    case timeout(after: Duration)
    case pause(Duration)
    case holdDependents, releaseDependents
    case report(ServiceAlert.Event, ServiceAlert.Action, String)
  }

  let hasStart: Bool
  let hasStop: Bool
  let startTimeout: Duration
  let stopTimeout: Duration

  private(set) var phase = Phase.unmonitored
  private(set) var epoch = 0
  /// What is wrong; nil is well.
  private(set) var failure: ServiceFailure?
  /// Deaths and failed starts in a row, without a longer life in between.
  private(set) var setbacks = 0
  private var runningSince = Duration.zero
  private var programProblem: String?
  private var startProgramRuns = false

  init(_ definition: ServiceDefinition) {
    hasStart = definition.start != nil
    hasStop = definition.stop != nil
    startTimeout = definition.start?.timeout ?? .seconds(30)
    stopTimeout = definition.stop?.timeout ?? .seconds(30)
  }

  /// monit's cycle: no pause between two starts is longer, and a life longer than this is not a setback.
  static let cycle = Duration.seconds(10)
  /// How often a process that is awaited is looked for.
  static let lookInterval = Duration.milliseconds(100)

  /// Whether nothing is being carried out right now.
  var isSettled: Bool {
    switch phase {
    case .unmonitored, .running, .pausing, .missing, .held: true
    case .preparing, .starting, .stopping, .abandoning: false
    }
  }

  /// The pause before the next start: none after the first setback, then 1, 2, 4, 8, 10, 10 … s.
  static func pause(afterSetbacks count: Int) -> Duration {
    count <= 1 ? .zero : min(cycle, .seconds(1 << min(count - 2, 10)))
  }

  /// - Parameters:
  ///   - found: the process that the pidfile names.
  ///   - now: on a clock that never goes back.
  mutating func handle(_ event: Event, found: ProcessIdentity?, now: Duration) -> [Action] {
    switch event {
    case .start: return start(found, now)
    case .stop: return stop(found, .unmonitored)
    case .restart: return restart(found, now)
    case .unmonitor: return unmonitor()
    case .hold: return phase == .unmonitored ? [] : stop(found, .held)
    case .release: return phase == .held ? begin(found, now) : []
    case .dependentsHeld: return phase == .preparing ? runStart(found, now) : []
    case .died: return died(found, now)
    case .looked: return looked(found, now)
    case .programEnded(.start, let problem, let couldNotRun): return startEnded(problem, couldNotRun, found, now)
    case .programEnded(.stop, let problem, let couldNotRun): return stopEnded(problem, couldNotRun)
    case .timedOut: return timedOut(found, now)
    case .pauseOver: return phase == .pausing ? begin(found, now) : []
    }
  }

  private mutating func enter(_ phase: Phase) {
    self.phase = phase
    epoch += 1
  }

  private mutating func start(_ found: ProcessIdentity?, _ now: Duration) -> [Action] {
    switch phase {
    case .running, .preparing, .starting: return []
    default:
      setbacks = 0
      failure = nil
      return begin(found, now)
    }
  }

  /// Takes the process that is there, or sets about starting one.
  private mutating func begin(_ found: ProcessIdentity?, _ now: Duration) -> [Action] {
    if let found { return run(found, now) }
    guard hasStart else {
      failure = ServiceFailure(.doesNotExist, "process is not running")
      enter(.missing)
      return [.look(after: Self.cycle)]
    }
    enter(.preparing)
    return [.holdDependents]
  }

  private mutating func runStart(_ found: ProcessIdentity?, _ now: Duration) -> [Action] {
    if let found { return run(found, now) }
    enter(.starting)
    programProblem = nil
    startProgramRuns = true
    return [.run(.start), .look(after: Self.lookInterval), .timeout(after: startTimeout)]
  }

  private mutating func run(_ process: ProcessIdentity, _ now: Duration) -> [Action] {
    var actions: [Action] = [.watch(process)]
    if let failure {
      let event: ServiceAlert.Event = failure.kind == .doesNotExist ? .exists : .executionSucceeded
      actions.append(.report(event, .alert, "process is running with pid \(process.pid)"))
    }
    failure = nil
    runningSince = now
    enter(.running(process))
    return actions + [.releaseDependents]
  }

  private mutating func died(_ found: ProcessIdentity?, _ now: Duration) -> [Action] {
    switch phase {
    case .running:
      // A reload may have put another process in its place.
      if let found { return run(found, now) }
      if now - runningSince >= Self.cycle { setbacks = 0 }
      setbacks += 1
      failure = ServiceFailure(.doesNotExist, "process is not running")
      let report = Action.report(.doesNotExist, hasStart ? .restart : .alert, "process is not running")
      guard hasStart else {
        enter(.missing)
        return [report, .look(after: Self.cycle)]
      }
      return [report] + again(found, now)
    case .stopping(let process, let goal):
      // The next process in line, when the pidfile names one, has to go as well.
      if let found, found != process {
        enter(.stopping(found, goal))
        return [.watch(found)] + runStop() + [.timeout(after: stopTimeout)]
      }
      return stopped(goal, found, now)
    default: return []
    }
  }

  /// Starts it again, after a pause if this is not the first time.
  private mutating func again(_ found: ProcessIdentity?, _ now: Duration) -> [Action] {
    let pause = Self.pause(afterSetbacks: setbacks)
    if pause == .zero { return begin(found, now) }
    enter(.pausing)
    return [.pause(pause)]
  }

  private mutating func looked(_ found: ProcessIdentity?, _ now: Duration) -> [Action] {
    switch phase {
    case .starting: return found.map { run($0, now) } ?? [.look(after: Self.lookInterval)]
    case .missing: return found.map { run($0, now) } ?? [.look(after: Self.cycle)]
    case .abandoning(let goal): return found.map { stop(process: $0, goal) } ?? [.look(after: Self.lookInterval)]
    default: return []
    }
  }

  private mutating func startEnded(
    _ problem: String?, _ couldNotRun: Bool, _ found: ProcessIdentity?, _ now: Duration
  ) -> [Action] {
    startProgramRuns = false
    switch phase {
    case .starting:
      programProblem = problem
      if let found { return run(found, now) }
      return couldNotRun ? startFailed(found, now) : []
    case .abandoning(let goal):
      if let found { return stop(process: found, goal) }
      // After a good end the process may still be about to write its pidfile.
      return problem == nil ? [] : stopped(goal, nil, now)
    default: return []
    }
  }

  private mutating func stopEnded(_ problem: String?, _ couldNotRun: Bool) -> [Action] {
    guard case .stopping(_, let goal) = phase else { return [] }
    programProblem = problem
    return couldNotRun ? stopFailed(goal) : []
  }

  private mutating func timedOut(_ found: ProcessIdentity?, _ now: Duration) -> [Action] {
    switch phase {
    case .starting: return found.map { run($0, now) } ?? startFailed(found, now)
    case .stopping(_, let goal): return stopFailed(goal)
    case .abandoning(let goal): return stopped(goal, nil, now)
    default: return []
    }
  }

  private mutating func startFailed(_ found: ProcessIdentity?, _ now: Duration) -> [Action] {
    setbacks = max(setbacks + 1, 2)
    let failure = ServiceFailure(.executionFailed, "failed to start" + (programProblem.map { " (\($0))" } ?? ""))
    self.failure = failure
    return [.report(.executionFailed, .alert, failure.message)] + again(found, now)
  }

  private mutating func unmonitor() -> [Action] {
    failure = nil
    setbacks = 0
    enter(.unmonitored)
    return []
  }

  private mutating func restart(_ found: ProcessIdentity?, _ now: Duration) -> [Action] {
    failure = nil
    setbacks = 0
    return stop(found, .restart) + (phase == .unmonitored ? begin(found, now) : [])
  }

  private mutating func stop(_ found: ProcessIdentity?, _ goal: Goal) -> [Action] {
    failure = nil
    setbacks = 0
    switch phase {
    case .stopping(let process, let current):
      // Already on its way; an operator's stop outweighs a restart.
      if goal == .unmonitored, current != .unmonitored { phase = .stopping(process, goal) }
      return []
    case .abandoning:
      guard let found else {
        phase = .abandoning(goal)
        return []
      }
      return stop(process: found, goal)
    case .running(let process): return stop(process: found ?? process, goal)
    case .starting where found == nil && (startProgramRuns || programProblem == nil):
      enter(.abandoning(goal))
      return [.look(after: Self.lookInterval), .timeout(after: startTimeout)]
    case .unmonitored where found == nil && goal == .unmonitored: return []
    default:
      if let found { return stop(process: found, goal) }
      return stopped(goal, nil, .zero)
    }
  }

  private mutating func stop(process: ProcessIdentity, _ goal: Goal) -> [Action] {
    guard hasStop else {
      let message = "failed to stop (it has no stop program)"
      if goal != .unmonitored { return [.report(.executionFailed, .alert, message)] }
      failure = ServiceFailure(.executionFailed, message)
      enter(.unmonitored)
      return [.report(.executionFailed, .alert, message)]
    }
    enter(.stopping(process, goal))
    return [.watch(process)] + runStop() + [.timeout(after: stopTimeout)]
  }

  private mutating func runStop() -> [Action] {
    programProblem = nil
    return [.run(.stop)]
  }

  private mutating func stopped(_ goal: Goal, _ found: ProcessIdentity?, _ now: Duration) -> [Action] {
    switch goal {
    case .unmonitored:
      enter(.unmonitored)
      return [.report(.actionDone, .stop, "stop action done")]
    case .held:
      enter(.held)
      return []
    case .restart: return begin(found, now)
    }
  }

  private mutating func stopFailed(_ goal: Goal) -> [Action] {
    let message = "failed to stop" + (programProblem.map { " (\($0))" } ?? "")
    failure = ServiceFailure(.executionFailed, message)
    let report = Action.report(.executionFailed, .alert, message)
    switch (goal, phase) {
    case (.unmonitored, _):
      enter(.unmonitored)
      return [report]
    case (_, .stopping(let process, _)):
      // It was to be started again anyway: it still runs, so it is watched on.
      enter(.running(process))
      return [report, .watch(process)]
    default: return [report]
    }
  }
}
