import Processes
import Testing

@testable import Supervision

@Suite struct ServiceMachineTests {
  private let one = ServicePresence.process(ProcessIdentity(pid: 1, startTicks: 1, bootID: "b"))
  private let two = ServicePresence.process(ProcessIdentity(pid: 2, startTicks: 2, bootID: "b"))

  private func machine(start: Bool = true, stop: Bool = true) -> ServiceMachine {
    ServiceMachine(
      ServiceDefinition(
        name: "x", kind: .process(pidfile: "/p"), start: start ? ServiceProgram(["/a"], timeout: .seconds(7)) : nil,
        stop: stop ? ServiceProgram(["/b"], timeout: .seconds(8)) : nil))
  }

  /// A machine whose process runs since 0.
  private func running(start: Bool = true, stop: Bool = true) -> ServiceMachine {
    var machine = machine(start: start, stop: stop)
    _ = machine.handle(.start, found: one, now: .zero)
    return machine
  }

  private func starting() -> ServiceMachine {
    var machine = machine()
    _ = machine.handle(.start, found: nil, now: .zero)
    _ = machine.handle(.dependentsHeld, found: nil, now: .zero)
    return machine
  }

  private let cleared = ServiceMachine.Event.programEnded(.stop, problem: nil, couldNotRun: false)

  @Test("adopts a process that runs already")
  func adoption() {
    var machine = machine()
    #expect(machine.handle(.start, found: one, now: .zero) == [.watch(one), .releaseDependents])
    #expect(machine.phase == .running(one) && machine.isSettled && machine.failure == nil)
    #expect(machine.handle(.start, found: one, now: .zero) == [])
  }

  @Test("starts what does not run, and waits for its pidfile")
  func start() {
    var machine = machine()
    #expect(machine.handle(.start, found: nil, now: .zero) == [.holdDependents])
    #expect(
      machine.handle(.dependentsHeld, found: nil, now: .zero) == [
        .run(.start), .look(after: .milliseconds(100)), .timeout(after: .seconds(7)),
      ])
    #expect(!machine.isSettled)
    #expect(machine.handle(.looked, found: nil, now: .zero) == [.look(after: .milliseconds(100))])
    #expect(machine.handle(.programEnded(.start, problem: nil, couldNotRun: false), found: nil, now: .zero) == [])
    #expect(machine.handle(.looked, found: one, now: .zero) == [.watch(one), .releaseDependents])
    #expect(machine.phase == .running(one))
  }

  @Test("answers the first death at once, and the next ones after growing pauses up to ten seconds")
  func deaths() {
    var machine = running()
    let actions = machine.handle(.died, found: nil, now: .seconds(60))
    #expect(actions == [.report(.doesNotExist, .restart, "process is not running"), .countRestart, .holdDependents])
    #expect(machine.failure?.event == .doesNotExist)
    var now = Duration.seconds(61)
    var pauses: [Duration] = []
    for _ in 0..<7 {
      if machine.phase == .pausing { _ = machine.handle(.pauseOver, found: nil, now: now) }
      _ = machine.handle(.dependentsHeld, found: nil, now: now)
      _ = machine.handle(.looked, found: one, now: now)
      #expect(machine.failure == nil)
      now += .seconds(1)
      for case .pause(let pause) in machine.handle(.died, found: nil, now: now) { pauses.append(pause) }
    }
    #expect(pauses == [1, 2, 4, 8, 10, 10, 10].map { .seconds($0) })
    // A life of ten seconds makes up for it.
    _ = machine.handle(.pauseOver, found: one, now: now)
    #expect(machine.handle(.died, found: nil, now: now + .seconds(10)).contains(.holdDependents))
  }

  @Test("takes the process that a reload has put in its place, without a restart")
  func successor() {
    var machine = running()
    #expect(machine.handle(.died, found: two, now: .seconds(1)) == [.watch(two), .releaseDependents])
    #expect(machine.phase == .running(two) && machine.setbacks == 0)
  }

  @Test("a start that takes too long is a failure, said with the program's own, and tried again after a pause")
  func lateStart() {
    var machine = starting()
    _ = machine.handle(
      .programEnded(.start, problem: "its program exited with 1", couldNotRun: false), found: nil, now: .zero)
    let message = "failed to start (its program exited with 1)"
    #expect(
      machine.handle(.timedOut, found: nil, now: .seconds(7)) == [
        .report(.executionFailed, .alert, message), .countRestart, .pause(.seconds(1)),
      ])
    #expect(machine.failure == ServiceFailure(.executionFailed, message))
    #expect(machine.phase == .pausing && machine.isSettled)
    #expect(machine.handle(.pauseOver, found: nil, now: .seconds(8)) == [.holdDependents])
    _ = machine.handle(.dependentsHeld, found: nil, now: .seconds(8))
    #expect(
      machine.handle(.looked, found: one, now: .seconds(9)) == [
        .watch(one), .report(.executionSucceeded, .alert, "process is running with pid 1"), .releaseDependents,
      ])
  }

  @Test("a start program that cannot be executed is a failure at once")
  func noProgram() {
    var machine = starting()
    let actions = machine.handle(
      .programEnded(.start, problem: "no such file", couldNotRun: true), found: nil, now: .zero)
    #expect(
      actions == [
        .report(.executionFailed, .alert, "failed to start (no such file)"), .countRestart, .pause(.seconds(1)),
      ])
  }

  @Test("stops a process, and is then unmonitored")
  func stop() {
    var machine = running()
    #expect(
      machine.handle(.stop, found: one, now: .zero) == [.watch(one), .run(.stop), .timeout(after: .seconds(8))])
    #expect(!machine.isSettled)
    #expect(machine.handle(.stop, found: one, now: .zero) == [])
    _ = machine.handle(cleared, found: one, now: .zero)
    #expect(machine.handle(.died, found: nil, now: .zero) == [.report(.actionDone, .stop, "stop action done")])
    #expect(machine.phase == .unmonitored && machine.failure == nil)
    #expect(machine.handle(.stop, found: nil, now: .zero) == [])
  }

  @Test("what a stop program still does after the process has ended, is waited for before a new one is started")
  func clearing() {
    var machine = running()
    _ = machine.handle(.restart, found: one, now: .zero)
    #expect(machine.handle(.died, found: nil, now: .zero) == [.timeout(after: .seconds(8))])
    #expect(!machine.isSettled)
    #expect(machine.handle(cleared, found: nil, now: .zero) == [.holdDependents])
    var stopping = running()
    _ = stopping.handle(.restart, found: one, now: .zero)
    _ = stopping.handle(.died, found: nil, now: .zero)
    #expect(stopping.handle(.stop, found: nil, now: .zero) == [])
    #expect(stopping.handle(cleared, found: nil, now: .zero) == [.report(.actionDone, .stop, "stop action done")])
    var hanging = running()
    _ = hanging.handle(.restart, found: one, now: .zero)
    _ = hanging.handle(.died, found: nil, now: .zero)
    #expect(hanging.handle(.timedOut, found: nil, now: .zero) == [.end(.stop), .holdDependents])
    var adopted = ServiceMachine(
      ServiceDefinition(name: "x", kind: .process(pidfile: "/p"), start: ServiceProgram(["/a"])), running: [.stop])
    _ = adopted.handle(.monitor, found: nil, now: .zero)
    #expect(adopted.handle(.dependentsHeld, found: nil, now: .zero) == [.timeout(after: .seconds(30))])
    #expect(adopted.handle(cleared, found: nil, now: .zero) == [.holdDependents])
    #expect(adopted.handle(.dependentsHeld, found: nil, now: .zero).first == .run(.start))
  }

  @Test("stops a process whose pidfile is gone")
  func stopWithoutPidfile() {
    var machine = running()
    #expect(machine.handle(.stop, found: nil, now: .zero).contains(.run(.stop)))
  }

  @Test("a stop that takes too long is a failure; the service is unmonitored all the same")
  func lateStop() {
    var machine = running()
    _ = machine.handle(.stop, found: one, now: .zero)
    #expect(machine.handle(.timedOut, found: one, now: .zero) == [.report(.executionFailed, .alert, "failed to stop")])
    #expect(machine.phase == .unmonitored && machine.failure?.event.kind.rawValue == 4096)
  }

  @Test("without a stop program it is only unmonitored by a stop, and not started again after a death")
  func noStopProgram() {
    var stopped = running(stop: false)
    _ = stopped.handle(.stop, found: one, now: .zero)
    #expect(stopped.phase == .unmonitored && stopped.failure == nil)
    var dead = running(stop: false)
    #expect(
      dead.handle(.died, found: nil, now: .zero) == [
        .report(.doesNotExist, .alert, "process is not running"), .look(after: .seconds(10)),
      ])
    #expect(dead.phase == .missing && dead.failure?.event == .doesNotExist)
    #expect(dead.handle(.start, found: nil, now: .zero) == [.holdDependents])
  }

  @Test("a start program that hangs is waited for twice, and ended before another one is run")
  func hangingStart() {
    var machine = starting()
    var runs: [[ServiceMachine.Action]] = []
    for attempt in 1...3 {
      _ = machine.handle(.timedOut, found: nil, now: .seconds(10 * attempt))
      _ = machine.handle(.pauseOver, found: nil, now: .seconds(10 * attempt))
      runs.append(
        machine.handle(.dependentsHeld, found: nil, now: .seconds(10 * attempt)).filter {
          switch $0 {
          case .run, .end: true
          default: false
          }
        })
    }
    #expect(runs == [[.run(.start)], [.end(.start), .run(.start)], [.run(.start)]])
  }

  @Test("a failure to start is said once, however often it is tried")
  func repeatedFailure() {
    var machine = starting()
    var reports = 0
    for second in 1...4 {
      for case .report in machine.handle(.timedOut, found: nil, now: .seconds(second)) { reports += 1 }
      _ = machine.handle(.pauseOver, found: nil, now: .seconds(second))
      _ = machine.handle(.dependentsHeld, found: nil, now: .seconds(second))
    }
    #expect(reports == 1)
  }

  @Test("a start that is given up for a stop is ended, so that nothing appears afterwards")
  func abandonedStart() {
    var machine = starting()
    _ = machine.handle(.stop, found: nil, now: .zero)
    #expect(machine.handle(.timedOut, found: nil, now: .zero).first == .end(.start))
    #expect(machine.phase == .unmonitored)
  }

  @Test("a test's restart is counted, stops and starts; without a stop program there is none")
  func restartByTest() {
    var machine = running()
    #expect(
      machine.handle(.restartByTest, found: one, now: .zero) == [
        .countRestart, .watch(one), .run(.stop), .timeout(after: .seconds(8)),
      ])
    _ = machine.handle(cleared, found: one, now: .zero)
    #expect(machine.handle(.died, found: nil, now: .zero) == [.holdDependents])
    var other = running(stop: false)
    #expect(other.handle(.restartByTest, found: one, now: .zero) == [])
  }

  @Test("a start program that runs since an earlier life is waited for, not run beside")
  func adoptedProgram() {
    var machine = ServiceMachine(
      ServiceDefinition(name: "x", kind: .process(pidfile: "/p"), start: ServiceProgram(["/a"])), running: [.start])
    _ = machine.handle(.monitor, found: nil, now: .zero)
    #expect(machine.handle(.dependentsHeld, found: nil, now: .zero).first == .run(.start))
    _ = machine.handle(.timedOut, found: nil, now: .zero)
    _ = machine.handle(.pauseOver, found: nil, now: .zero)
    #expect(machine.handle(.dependentsHeld, found: nil, now: .zero).prefix(2) == [.end(.start), .run(.start)])
  }

  @Test("a file is made by its start program, even when it is there, and unmade by its stop program")
  func thing() {
    var machine = ServiceMachine(
      ServiceDefinition(
        name: "f", kind: .file(path: "/f"), start: ServiceProgram(["/a"]), stop: ServiceProgram(["/b"])))
    #expect(machine.handle(.monitor, found: .thing, now: .zero) == [.watch(.thing), .releaseDependents])
    #expect(machine.handle(.start, found: .thing, now: .zero) == [.holdDependents])
    #expect(machine.handle(.dependentsHeld, found: .thing, now: .zero).first == .run(.start))
    #expect(machine.handle(.looked, found: .thing, now: .zero) == [.look(after: .milliseconds(100))])
    let ended = ServiceMachine.Event.programEnded(.start, problem: nil, couldNotRun: false)
    #expect(machine.handle(ended, found: .thing, now: .zero).first == .watch(.thing))
    // Gone: what is left is cleared away before it is made again.
    let gone = machine.handle(.died, found: nil, now: .seconds(1))
    #expect(gone.first == .report(.doesNotExist, .restart, "file doesn't exist") && gone.contains(.run(.stop)))
    #expect(machine.handle(cleared, found: nil, now: .seconds(1)) == [.holdDependents])
    _ = machine.handle(.dependentsHeld, found: nil, now: .seconds(1))
    #expect(
      machine.handle(ended, found: .thing, now: .seconds(2)).contains(.report(.exists, .alert, "file exists")))
    #expect(machine.handle(.stop, found: .thing, now: .seconds(3)) == [.run(.stop), .timeout(after: .seconds(30))])
    #expect(machine.handle(cleared, found: .thing, now: .seconds(3)).count == 1)
    #expect(machine.phase == .unmonitored)
  }

  @Test("a process that appears after stop was asked for is stopped as well")
  func stopWhileStarting() {
    var machine = starting()
    #expect(
      machine.handle(.stop, found: nil, now: .zero) == [.look(after: .milliseconds(100)), .timeout(after: .seconds(7))])
    #expect(!machine.isSettled)
    #expect(machine.handle(.programEnded(.start, problem: nil, couldNotRun: false), found: nil, now: .zero) == [])
    #expect(machine.handle(.looked, found: one, now: .zero).contains(.run(.stop)))
    _ = machine.handle(cleared, found: one, now: .zero)
    _ = machine.handle(.died, found: nil, now: .zero)
    #expect(machine.phase == .unmonitored)
  }

  @Test("a start program that fails after stop was asked for leaves nothing to stop")
  func stopWhileFailing() {
    var machine = starting()
    _ = machine.handle(.stop, found: nil, now: .zero)
    _ = machine.handle(
      .programEnded(.start, problem: "its program exited with 1", couldNotRun: false), found: nil, now: .zero)
    #expect(machine.phase == .unmonitored)
  }

  @Test("unmonitored, a death is none of its business")
  func unmonitor() {
    var machine = running()
    #expect(machine.handle(.unmonitor, found: one, now: .zero) == [])
    #expect(machine.handle(.died, found: nil, now: .zero) == [])
    #expect(machine.phase == .unmonitored)
    #expect(machine.handle(.hold, found: one, now: .zero) == [])
    #expect(machine.handle(.release, found: nil, now: .zero) == [])
  }

  @Test("restarts what runs, and starts what does not")
  func restart() {
    var up = running()
    #expect(up.handle(.restart, found: one, now: .zero).contains(.run(.stop)))
    _ = up.handle(cleared, found: one, now: .zero)
    #expect(up.handle(.died, found: nil, now: .zero) == [.holdDependents])
    var down = machine()
    #expect(down.handle(.restart, found: nil, now: .zero) == [.holdDependents])
  }

  @Test("without a start program it waits for its process to appear")
  func noStartProgram() {
    var machine = machine(start: false)
    #expect(machine.handle(.start, found: nil, now: .zero) == [.look(after: .seconds(10))])
    #expect(machine.phase == .missing && machine.failure?.event == .doesNotExist)
    #expect(
      machine.handle(.looked, found: one, now: .zero) == [
        .watch(one), .report(.exists, .alert, "process is running with pid 1"), .releaseDependents,
      ])
    #expect(
      machine.handle(.died, found: nil, now: .zero).contains(.report(.doesNotExist, .alert, "process is not running")))
    #expect(machine.phase == .missing)
  }

  @Test("what belongs to an earlier phase is void: every change of phase has a new epoch")
  func epochs() {
    var machine = machine()
    var seen = [machine.epoch]
    for (event, found) in [
      (ServiceMachine.Event.start, nil), (.dependentsHeld, nil), (.looked, one), (.stop, one), (.died, nil),
    ] as [(ServiceMachine.Event, ServicePresence?)] {
      _ = machine.handle(event, found: found, now: .zero)
      seen.append(machine.epoch)
    }
    #expect(seen == Array(Set(seen)).sorted())
  }

  @Test("never forgets, in any sequence of events, to wait for something unless it is settled")
  func sequences() {
    var seed: UInt64 = 7
    func next(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    let events: [ServiceMachine.Event] = [
      .want(anew: false), .want(anew: true), .start, .monitor, .stop, .restart, .restartByTest, .unmonitor, .hold,
      .release, .dependentsHeld, .died,
      .looked,
      .timedOut, .pauseOver,
      .programEnded(.start, problem: nil, couldNotRun: false), .programEnded(.start, problem: "x", couldNotRun: true),
      .programEnded(.stop, problem: nil, couldNotRun: false), .programEnded(.stop, problem: "x", couldNotRun: true),
    ]
    for _ in 0..<2000 {
      var machine = machine(start: next(4) > 0, stop: next(4) > 0)
      var waits: [ServiceMachine.Action] = []
      for step in 0..<30 {
        let epoch = machine.epoch
        let found = [nil, one, two][next(3)]
        let actions = machine.handle(events[next(events.count)], found: found, now: .seconds(step))
        if machine.epoch != epoch { waits = [] }
        waits += actions
        let isWaiting = waits.contains { action in
          switch action {
          case .watch, .look, .timeout, .pause, .holdDependents: true
          default: false
          }
        }
        let isQuiet =
          switch machine.phase {
          case .unmonitored, .held, .waiting: true
          default: false
          }
        #expect(isQuiet || isWaiting, "in \(machine.phase) after \(actions)")
      }
    }
  }
}
