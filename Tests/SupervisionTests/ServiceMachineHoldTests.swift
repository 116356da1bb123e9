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
    #expect(machine.handle(.want, found: nil, now: .zero) == [])
    #expect(machine.phase == .waiting && machine.isSettled)
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
    _ = thing.handle(.want, found: .thing, now: .zero)
    #expect(thing.handle(.release, found: .thing, now: .zero) == [.watch(.thing), .releaseDependents])
  }

  @Test(
    "a start during a stop follows it; a hold of what restarts, too", arguments: [ServiceMachine.Event.start, .want])
  func startWhileStopping(event: ServiceMachine.Event) {
    var machine = running()
    _ = machine.handle(.stop, found: one, now: .zero)
    #expect(machine.handle(event, found: one, now: .zero) == [])
    _ = machine.handle(cleared, found: one, now: .zero)
    let after = machine.handle(.died, found: nil, now: .zero)
    #expect(after == (event == .want ? [.checkDependencies] : [.holdDependents]))
    var restarting = running()
    _ = restarting.handle(.restart, found: one, now: .zero)
    _ = restarting.handle(.hold, found: one, now: .zero)
    _ = restarting.handle(cleared, found: one, now: .zero)
    _ = restarting.handle(.died, found: nil, now: .zero)
    #expect(restarting.phase == .held)
  }

  @Test("what depends on it is let go when it runs on because it cannot be stopped")
  func lateRestart() {
    var machine = running()
    _ = machine.handle(.restart, found: one, now: .zero)
    #expect(machine.handle(.timedOut, found: one, now: .zero).suffix(2) == [.watch(one), .releaseDependents])
  }
}
