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
///      └──────────────── clearing ◄── stopping    missing
/// ```
///
/// What another service keeps from running is `waiting` before its first start and `held` after it was stopped for that.
///
/// Every event comes with what is there at that moment: the process that the pidfile names, or the file. A thing that is
/// no process does not end by itself: its start and stop programs are what is waited for. Timers, watches and looks belong to the
/// phase in which they were asked for; when the phase changes, ``epoch`` does, and what they report is void.
struct ServiceMachine: Sendable, Hashable {
  private let isThing: Bool
  private let hasDependencies: Bool
  private let absence: String
  private let existence: String
  private let cycle: Duration
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
  /// Programs that run, and how often one was waited for in vain.
  private var programs: [Program: Int]

  /// - Parameters:
  ///   - running: programs that run since an earlier life of the agent.
  ///   - cycle: monit's: no pause between two starts is longer, and a life longer than this is not a setback.
  init(_ definition: ServiceDefinition, running: Set<Program> = [], cycle: Duration = .seconds(10)) {
    hasStart = definition.start != nil
    hasStop = definition.stop != nil
    isThing = !definition.kind.isProcess
    hasDependencies = !definition.dependencies.isEmpty
    (absence, existence) = definition.kind.texts
    programs = Dictionary(uniqueKeysWithValues: running.map { ($0, 0) })
    self.cycle = cycle
    startTimeout = definition.start?.timeout ?? .seconds(30)
    stopTimeout = definition.stop?.timeout ?? .seconds(30)
  }

  /// Whether nothing is being carried out right now.
  var isSettled: Bool {
    switch phase {
    case .unmonitored, .running, .pausing, .missing, .held, .waiting: true
    case .preparing, .starting, .stopping, .clearing, .abandoning: false
    }
  }

  /// The pause before the next start: none after the first setback, then 1, 2, 4, 8 s, at most a cycle.
  private func pause(afterSetbacks count: Int) -> Duration {
    count <= 1 ? .zero : min(cycle, .seconds(1 << min(count - 2, 10)))
  }

  /// - Parameters:
  ///   - found: the process that the pidfile names.
  ///   - now: on a clock that never goes back.
  mutating func handle(_ event: Event, found: ServicePresence?, now: Duration) -> [Action] {
    switch event {
    case .want(let anew): return want(anew: anew)
    case .start: return start(found, now)
    case .monitor: return monitor(found, now)
    case .stop: return stop(found, .unmonitored, isWish: true)
    case .restart: return restart(found, now)
    case .restartByTest: return restartByTest(found)
    case .unmonitor: return unmonitor()
    case .hold: return phase == .unmonitored ? [] : stop(found, .held, isWish: false)
    case .release: return release(found, now)
    case .dependentsHeld: return phase == .preparing ? runStart(found, now) : []
    case .died: return died(found, now)
    case .looked: return looked(found, now)
    case .programEnded(.start, let problem, let couldNotRun): return startEnded(problem, couldNotRun, found, now)
    case .programEnded(.stop, let problem, let couldNotRun): return stopEnded(problem, couldNotRun, found, now)
    case .timedOut: return timedOut(found, now)
    case .pauseOver: return phase == .pausing ? begin(found, now) : []
    }
  }

  private mutating func enter(_ phase: Phase) {
    self.phase = phase
    epoch += 1
  }

  /// A stop that is on its way is carried out first.
  private mutating func want(anew: Bool) -> [Action] {
    switch phase {
    case .preparing, .starting: return []
    case _ where anew && isThing && hasStart: enter(.waiting(anew: true))
    case .unmonitored, .pausing, .missing: enter(.waiting(anew: false))
    case .stopping(let presence, .unmonitored): phase = .stopping(presence, .held)
    case .clearing(.unmonitored): phase = .clearing(.held)
    case .abandoning(.unmonitored): phase = .abandoning(.held)
    default: return []
    }
    setbacks = 0
    failure = nil
    return []
  }

  private mutating func release(_ found: ServicePresence?, _ now: Duration) -> [Action] {
    switch phase {
    case .waiting(anew: true): return begin(nil, now, isCleared: true, isReleased: true)
    case .waiting: return begin(found, now, isReleased: true)
    case .held: return begin(isThing && hasStart ? nil : found, now, isCleared: true, isReleased: true)
    default: return []
    }
  }

  private mutating func start(_ found: ServicePresence?, _ now: Duration) -> [Action] {
    guard isThing, hasStart else { return monitor(found, now) }
    if phase == .preparing || phase == .starting { return [] }
    setbacks = 0
    failure = nil
    enter(.preparing)
    return [.holdDependents]
  }

  private mutating func monitor(_ found: ServicePresence?, _ now: Duration) -> [Action] {
    switch phase {
    case .running, .preparing, .starting: return []
    case .stopping(let presence, _): phase = .stopping(presence, restartGoal)
    case .clearing: phase = .clearing(restartGoal)
    default:
      setbacks = 0
      failure = nil
      return begin(found, now)
    }
    setbacks = 0
    failure = nil
    return []
  }

  /// Takes the process that is there, or sets about starting one.
  /// - Parameters: isCleared: its stop program has just been run; isReleased: all that it depends on runs.
  private mutating func begin(
    _ found: ServicePresence?, _ now: Duration, isCleared: Bool = false, isReleased: Bool = false
  ) -> [Action] {
    if let found { return run(found, now) }
    if hasDependencies, !isReleased {
      enter(.waiting(anew: false))
      return [.checkDependencies]
    }
    if isThing, hasStart, hasStop, !isCleared { return stopPresent(.thing, restartGoal) }
    guard hasStart else {
      failure = ServiceFailure(.doesNotExist, absence)
      enter(.missing)
      return [.look(after: cycle)]
    }
    enter(.preparing)
    return [.holdDependents]
  }

  private mutating func runStart(_ found: ServicePresence?, _ now: Duration) -> [Action] {
    if let found, !isThing { return run(found, now) }
    if programs[.stop] != nil { return clear(.restart) }
    enter(.starting)
    return run(.start) + [.look(after: Self.lookInterval), .timeout(after: startTimeout)]
  }

  /// Runs a program. One that still runs does what was asked for, and a second one beside it could only do harm; but it
  /// is not waited for without end.
  private mutating func run(_ program: Program) -> [Action] {
    programProblem = nil
    let waits = programs[program].map { $0 + 1 } ?? 0
    programs[program] = waits > 1 ? 0 : waits
    return waits > 1 ? [.end(program), .run(program)] : [.run(program)]
  }

  private mutating func run(_ presence: ServicePresence, _ now: Duration) -> [Action] {
    var actions: [Action] = [.watch(presence)]
    if let failure {
      actions.append(
        .report(
          ServiceEvent(failure.event.kind, .succeeded), .alert,
          presence.process.map { "process is running with pid \($0.pid)" } ?? existence))
    }
    failure = nil
    runningSince = now
    enter(.running(presence))
    return actions + [.releaseDependents]
  }

  private mutating func died(_ found: ServicePresence?, _ now: Duration) -> [Action] {
    switch phase {
    case .running:
      // A reload may have put another process in its place.
      if let found { return run(found, now) }
      if now - runningSince >= cycle { setbacks = 0 }
      setbacks += 1
      failure = ServiceFailure(.doesNotExist, absence)
      guard hasStart, hasStop else {
        enter(.missing)
        return [.report(.doesNotExist, .alert, absence), .look(after: cycle)]
      }
      return [.report(.doesNotExist, .restart, absence)] + again(found, now)
    case .stopping(let presence, let goal):
      // The next process in line, when the pidfile names one, has to go as well.
      if let found, found != presence {
        enter(.stopping(found, goal))
        return [.watch(found)] + run(.stop) + [.timeout(after: stopTimeout)]
      }
      return programs[.stop] == nil ? stopped(goal, found, now) : clear(goal)
    default: return []
    }
  }

  /// Waits for the stop program.
  private mutating func clear(_ goal: Goal) -> [Action] {
    enter(.clearing(goal))
    return [.timeout(after: stopTimeout)]
  }

  /// Starts it again, after a pause if this is not the first time.
  private mutating func again(_ found: ServicePresence?, _ now: Duration) -> [Action] {
    let pause = pause(afterSetbacks: setbacks)
    if pause == .zero { return [.countRestart] + begin(found, now) }
    enter(.pausing)
    return [.countRestart, .pause(pause)]
  }

  private mutating func looked(_ found: ServicePresence?, _ now: Duration) -> [Action] {
    switch phase {
    case .starting:
      if let found, !isThing || programs[.start] == nil { return run(found, now) }
      return [.look(after: Self.lookInterval)]
    case .missing: return found.map { run($0, now) } ?? [.look(after: cycle)]
    case .abandoning(let goal): return found.map { stopPresent($0, goal) } ?? [.look(after: Self.lookInterval)]
    default: return []
    }
  }

  private mutating func startEnded(
    _ problem: String?, _ couldNotRun: Bool, _ found: ServicePresence?, _ now: Duration
  ) -> [Action] {
    programs[.start] = nil
    switch phase {
    case .starting:
      programProblem = problem
      if let found { return run(found, now) }
      return couldNotRun ? startFailed(now) : []
    case .abandoning(let goal):
      if let found { return stopPresent(found, goal) }
      // After a good end the process may still be about to write its pidfile.
      return problem == nil ? [] : stopped(goal, nil, now)
    default: return []
    }
  }

  private mutating func stopEnded(
    _ problem: String?, _ couldNotRun: Bool, _ found: ServicePresence?, _ now: Duration
  ) -> [Action] {
    programs[.stop] = nil
    switch phase {
    case .stopping(let presence, let goal):
      programProblem = problem
      if couldNotRun { return stopFailed(goal) }
      return presence == .thing ? stopped(goal, nil, now) : []
    case .clearing(let goal):
      if let found, !isThing { return stopPresent(found, goal) }
      return stopped(goal, nil, now)
    default: return []
    }
  }

  private mutating func timedOut(_ found: ServicePresence?, _ now: Duration) -> [Action] {
    switch phase {
    case .starting:
      if let found, !isThing { return run(found, now) }
      return startFailed(now)
    case .stopping(_, let goal): return stopFailed(goal)
    case .clearing(let goal):
      programs[.stop] = nil
      return [.end(.stop)] + stopped(goal, nil, now)
    case .abandoning(let goal):
      programs[.start] = nil
      return [.end(.start)] + stopped(goal, nil, now)
    default: return []
    }
  }

  private mutating func startFailed(_ now: Duration) -> [Action] {
    setbacks = max(setbacks + 1, 2)
    let failure = ServiceFailure(.executionFailed, "failed to start" + (programProblem.map { " (\($0))" } ?? ""))
    // It is tried again and again, and said once.
    let isNews = self.failure?.event != failure.event
    self.failure = failure
    return (isNews ? [.report(.executionFailed, .alert, failure.message)] : []) + again(nil, now)
  }

  private mutating func unmonitor() -> [Action] {
    failure = nil
    setbacks = 0
    enter(.unmonitored)
    return []
  }

  private mutating func restart(_ found: ServicePresence?, _ now: Duration) -> [Action] {
    failure = nil
    setbacks = 0
    return stop(found, restartGoal, isWish: true) + (phase == .unmonitored ? begin(found, now) : [])
  }

  /// What depends on others is started again when they run.
  private var restartGoal: Goal { hasDependencies ? .held : .restart }

  private mutating func restartByTest(_ found: ServicePresence?) -> [Action] {
    guard case .running(let presence) = phase, hasStart, hasStop else { return [] }
    return [.countRestart] + stopPresent(found ?? presence, restartGoal)
  }

  /// - Parameter isWish: whether somebody wants it, which counts for more than an earlier wish.
  private mutating func stop(_ found: ServicePresence?, _ goal: Goal, isWish: Bool) -> [Action] {
    failure = nil
    setbacks = 0
    switch phase {
    case .stopping(let presence, let current):
      // Already on its way.
      phase = .stopping(presence, current.or(goal))
      return []
    case .clearing(let current):
      phase = .clearing(current.or(goal))
      return []
    case .abandoning(let current):
      let next = isWish ? goal : current.or(goal)
      guard let found else {
        phase = .abandoning(next)
        return []
      }
      return stopPresent(found, next)
    case .running(let presence): return stopPresent(found ?? presence, goal)
    case .starting where found == nil && (programs[.start] != nil || programProblem == nil):
      enter(.abandoning(goal))
      return [.look(after: Self.lookInterval), .timeout(after: startTimeout)]
    case .unmonitored where found == nil && goal == .unmonitored && !isThing: return []
    default:
      if isThing { return stopPresent(.thing, goal) }
      if let found { return stopPresent(found, goal) }
      return stopped(goal, nil, .zero)
    }
  }

  private mutating func stopPresent(_ presence: ServicePresence, _ goal: Goal) -> [Action] {
    guard hasStop else {
      if isThing { return stopped(goal, presence, .zero) }
      if goal != .unmonitored {
        return [.report(.executionFailed, .alert, "failed to stop (it has no stop program)")]
      }
      enter(.unmonitored)
      return [.report(.actionDone, .stop, "unmonitored; it has no stop program, so its process runs on")]
    }
    enter(.stopping(presence, goal))
    return (presence == .thing ? [] : [.watch(presence)]) + run(.stop) + [.timeout(after: stopTimeout)]
  }

  private mutating func stopped(_ goal: Goal, _ found: ServicePresence?, _ now: Duration) -> [Action] {
    switch goal {
    case .unmonitored:
      enter(.unmonitored)
      return [.report(.actionDone, .stop, "stop action done")]
    case .held:
      enter(.held)
      return [.checkDependencies]
    case .restart:
      // A thing may still be there, and is to be made anew all the same.
      return begin(isThing && hasStart ? nil : found, now, isCleared: true)
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
    case (_, .stopping(let presence, _)):
      // It was to be started again anyway: it still runs, so it is watched on.
      enter(.running(presence))
      return [report, .watch(presence), .releaseDependents]
    default: return [report]
    }
  }
}
