import Processes
import Testing

@testable import Supervision

/// A service that has to wait for what it depends on.
@Suite struct ServiceMachineHoldTests {
  private let one = ServicePresence.process(ProcessIdentity(pid: 1, startTicks: 1, bootID: "b"))
  private let cleared = ServiceMachine.Event.programEnded(.stop, problem: nil, couldNotRun: false)

  private func machine() -> ServiceMachine {
    ServiceMachine(
      ServiceDefinition(
        name: "x", kind: .process(pidfile: "/p"), start: ServiceProgram(["/a"]), stop: ServiceProgram(["/b"])))
  }

  /// A machine whose process runs since 0.
  private func running() -> ServiceMachine {
    var machine = machine()
    _ = machine.handle(.start, found: one, now: .zero)
    return machine
  }

  @Test("is stopped while a service it depends on restarts, and started after that")
  func hold() {
    var machine = running()
    #expect(machine.handle(.hold, found: one, now: .zero).contains(.run(.stop)))
    _ = machine.handle(cleared, found: one, now: .zero)
    #expect(machine.handle(.died, found: nil, now: .zero) == [.checkDependencies])
    #expect(machine.phase == .held && machine.isSettled)
    #expect(machine.handle(.release, found: nil, now: .zero) == [.holdDependents])
  }

  @Test("an operator's stop outweighs being held")
  func stopWhileHeld() {
    var machine = running()
    _ = machine.handle(.hold, found: one, now: .zero)
    _ = machine.handle(.stop, found: one, now: .zero)
    _ = machine.handle(cleared, found: one, now: .zero)
    _ = machine.handle(.died, found: nil, now: .zero)
    #expect(machine.phase == .unmonitored)
  }

  @Test("wanted before what it depends on runs, it waits; a stop ends that")
  func waiting() {
    var machine = machine()
    #expect(machine.handle(.want(anew: false), found: nil, now: .zero) == [])
    #expect(machine.phase == .waiting(anew: false) && machine.isSettled)
    var stopped = machine
    _ = stopped.handle(.stop, found: nil, now: .zero)
    #expect(stopped.phase == .unmonitored)
    var held = machine
    #expect(held.handle(.hold, found: nil, now: .zero) == [.checkDependencies])
    #expect(held.phase == .held)
    #expect(machine.handle(.release, found: nil, now: .zero) == [.holdDependents])
    // What is there already is not made anew.
    var thing = ServiceMachine(
      ServiceDefinition(
        name: "f", kind: .file(path: "/f"), start: ServiceProgram(["/a"]), stop: ServiceProgram(["/b"])))
    _ = thing.handle(.want(anew: false), found: .thing, now: .zero)
    #expect(thing.handle(.release, found: .thing, now: .zero) == [.watch(.thing), .releaseDependents])
    // Unless somebody wants it anew.
    #expect(thing.handle(.want(anew: true), found: .thing, now: .zero) == [])
    #expect(thing.handle(.release, found: .thing, now: .zero) == [.holdDependents])
  }

  @Test(
    "a start during a stop follows it; a hold of what restarts, too",
    arguments: [ServiceMachine.Event.start, .want(anew: false)])
  func startWhileStopping(event: ServiceMachine.Event) {
    var machine = running()
    _ = machine.handle(.stop, found: one, now: .zero)
    #expect(machine.handle(event, found: one, now: .zero) == [])
    _ = machine.handle(cleared, found: one, now: .zero)
    let after = machine.handle(.died, found: nil, now: .zero)
    #expect(after == (event == .want(anew: false) ? [.checkDependencies] : [.holdDependents]))
    var restarting = running()
    _ = restarting.handle(.restart, found: one, now: .zero)
    _ = restarting.handle(.hold, found: one, now: .zero)
    _ = restarting.handle(cleared, found: one, now: .zero)
    _ = restarting.handle(.died, found: nil, now: .zero)
    #expect(restarting.phase == .held)
  }

  @Test("what depends on others is restarted by way of being held, whatever it does")
  func restartOfDependent() {
    func dependent() -> ServiceMachine {
      ServiceMachine(
        ServiceDefinition(
          name: "x", kind: .process(pidfile: "/p"), start: ServiceProgram(["/a"]), stop: ServiceProgram(["/b"]),
          dependencies: ["y"]))
    }
    var machine = dependent()
    #expect(machine.handle(.restart, found: nil, now: .zero) == [.checkDependencies])
    #expect(machine.phase == .held)
    // Nor does it start by itself when it dies.
    var dying = dependent()
    _ = dying.handle(.monitor, found: one, now: .zero)
    #expect(dying.handle(.died, found: nil, now: .seconds(20)).suffix(2) == [.countRestart, .checkDependencies])
    #expect(dying.handle(.release, found: nil, now: .seconds(20)) == [.holdDependents])
    var missing = dependent()
    #expect(missing.handle(.monitor, found: nil, now: .zero) == [.checkDependencies])
    for event in [ServiceMachine.Event.restart, .restartByTest] {
      var up = dependent()
      _ = up.handle(.monitor, found: one, now: .zero)
      _ = up.handle(event, found: one, now: .zero)
      _ = up.handle(cleared, found: one, now: .zero)
      #expect(up.handle(.died, found: nil, now: .zero) == [.checkDependencies])
      #expect(up.phase == .held)
    }
  }

  @Test("an operator's stop of a start that is under way outweighs being held; a restart outweighs the stop")
  func abandoned() {
    let failed = ServiceMachine.Event.programEnded(.start, problem: "x", couldNotRun: false)
    for (events, phase) in [
      ([.stop, .hold], .unmonitored), ([.hold, .stop], .unmonitored), ([.hold], .held),
    ] as [([ServiceMachine.Event], ServiceMachine.Phase)] {
      var machine = machine()
      _ = machine.handle(.start, found: nil, now: .zero)
      _ = machine.handle(.dependentsHeld, found: nil, now: .zero)
      for event in events { _ = machine.handle(event, found: nil, now: .zero) }
      _ = machine.handle(failed, found: nil, now: .zero)
      #expect(machine.phase == phase, "\(events)")
    }
    var machine = machine()
    _ = machine.handle(.start, found: nil, now: .zero)
    _ = machine.handle(.dependentsHeld, found: nil, now: .zero)
    _ = machine.handle(.stop, found: nil, now: .zero)
    _ = machine.handle(.restart, found: nil, now: .zero)
    #expect(machine.handle(failed, found: nil, now: .zero) == [.holdDependents])
  }

  @Test("what depends on it is let go when it runs on because it cannot be stopped")
  func lateRestart() {
    var machine = running()
    _ = machine.handle(.restart, found: one, now: .zero)
    #expect(machine.handle(.timedOut, found: one, now: .zero).suffix(2) == [.watch(one), .releaseDependents])
  }
}
