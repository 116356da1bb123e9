import Processes

/// What a ``ServiceMachine`` can be in, be told, and want.
extension ServiceMachine {
  /// How often a process that is awaited is looked for.
  static let lookInterval = Duration.milliseconds(100)

  enum Phase: Sendable, Hashable {
    /// Not watched.
    case unmonitored
    /// The services that depend on it are being stopped before it is started.
    case preparing
    /// The start program was run; its process is awaited.
    case starting
    case running(ServicePresence)
    /// Waits before it is started again.
    case pausing
    /// Not there, and nothing can start it; it may appear by itself.
    case missing
    /// The stop program was run; the process's end is awaited.
    case stopping(ServicePresence, Goal)
    /// The process has ended; the stop program still runs and clears up after it, and would clear away a new one's traces.
    case clearing(Goal)
    /// To be stopped while the start program still runs, without a process yet.
    case abandoning(Goal)
    /// Stopped because a service it depends on restarts; started again after that.
    case held
    /// Wanted, and not started before what it depends on runs; a thing perhaps anew although it is there.
    case waiting(anew: Bool)
  }

  enum Program: String, Sendable, Hashable, CaseIterable { case start, stop }

  /// What is to become of a service after it has been stopped. A stronger wish takes the place of a weaker one.
  enum Goal: Int, Sendable, Hashable { case restart, held, unmonitored }

  enum Event: Sendable, Hashable {
    /// Watch it as soon as what it depends on runs; run the start program of a thing even when it is there.
    case want(anew: Bool)
    /// Watch it, and start it when it is not there. The start program of a thing is run even when it is there.
    case start
    /// Watch it, and start it when it is not there.
    case monitor
    case stop
    case restart
    /// A test wants it to be started anew.
    case restartByTest
    case unmonitor
    /// A service that it depends on restarts.
    case hold
    /// All that it depends on runs.
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
    /// Unless it runs already.
    case run(Program)
    /// It has been running for too long: with all that it has started, it has to go.
    case end(Program)
    case watch(ServicePresence)
    case look(after: Duration)
    case timeout(after: Duration)
    case pause(Duration)
    case holdDependents, releaseDependents
    /// It waits for what it depends on, which may run by now.
    case checkDependencies
    case report(ServiceEvent, ServiceAlert.Action, String)
    /// It is started anew without anybody having asked for it.
    case countRestart
  }
}

extension ServiceMachine.Goal {
  /// The stronger of two.
  func or(_ other: Self) -> Self { other.rawValue > rawValue ? other : self }
}
