import Files
import Formats
import Glibc
import Processes
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import BPM

/// A signal may come at any time while a container is made; the kernel drops those that its first process is not ready
/// for. One that is lost makes these tests wait for a process that sleeps for a quarter of an hour.
@Suite("Signals to bpm run", .enabled(if: ContainerFixture.isPossible), .timeLimit(.minutes(10)))
struct RunSignalTests {
  /// What is there first at that moment, below the BOSH root.
  enum Moment: String, CaseIterable {
    case logs = "sys/log/web/web.stdout.log"
    case bundle = "data/bpm/bundles/web/web/config.json"
    case runc = "data/bpm/bundles/web/web/runc.log"
    case state = "sys/run/bpm-runc/bpm-web"
    case made = "sys/run/bpm-runc/bpm-web/state.json"
    case started = "data/bpm/bundles/web/web/started.pid"
  }

  private func reach(_ moment: Moment, _ fixture: ContainerFixture) async throws {
    while try !Files.exists("\(fixture.root)/\(moment.rawValue)") {
      try await fixture.setup.surroundings.sleep(.milliseconds(1))
    }
  }

  private func expectNothingLeft(_ fixture: ContainerFixture) throws {
    #expect(try fixture.setup.observer.ids().isEmpty)
    #expect(try !Files.exists("\(fixture.root)/data/bpm/bundles/web/web"))
    let lock = try LockFile.tryAcquire("\(fixture.root)/data/bpm/locks/job-bpm-web.2eweb.lock")
    #expect(lock != nil)
    lock?.release()
  }

  @Test("None is lost, whenever it comes, and nothing stays behind", arguments: Moment.allCases)
  func whenever(moment: Moment) async throws {
    for _ in 0..<3 {
      try await ContainerFixture.use { fixture in
        try fixture.configure("web", "- name: web\n  executable: /bin/sleep\n  args: [900]\n")
        let program = try fixture.program("run", "web")
        try await reach(moment, fixture)
        program.signal(SIGTERM)
        #expect(try await program.ending() == .exited(143))
        try expectNothingLeft(fixture)
      }
    }
  }

  @Test("A signal while the hook runs ends the hook, and nothing is started")
  func hook() async throws {
    try await ContainerFixture.use { fixture in
      let hook = "\(fixture.root)/hook"
      try writeTestFile(hook, "#!/bin/sh\necho $$\nexec sleep 900\n", mode: 0o755)
      try fixture.configure(
        "web", "- name: web\n  executable: /bin/echo\n  args: [ran]\n  hooks: {pre_start: \(hook)}\n")
      let program = try fixture.program("run", "web")
      #expect(try await fixture.eventually { fixture.text("sys/log/web/web.stdout.log").hasSuffix("\n") })
      let pid = try #require(Pidfile.parse(fixture.text("sys/log/web/web.stdout.log")))
      program.signal(SIGINT)
      #expect(try await program.ending() == .exited(130))
      #expect(ProcessIdentity(livingPid: pid) == nil)
      #expect(!fixture.text("sys/log/web/web.stdout.log").contains("ran"))
      try expectNothingLeft(fixture)
    }
  }

  @Test("Signals are kept in their order until there is somebody for them")
  func order() async throws {
    let signals = KeptSignals()
    signals.take(SIGUSR1)
    signals.take(SIGTERM)
    signals.take(SIGINT)
    #expect(signals.ending == SIGTERM && signals.hasKept)
    let got = Numbers()
    signals.hand { got.add($0) }
    signals.take(SIGHUP)
    #expect(got.all == [SIGUSR1, SIGTERM, SIGINT, SIGHUP])
    signals.keep()
    signals.take(SIGCONT)
    #expect(got.all.count == 4 && signals.hasKept && signals.ending == SIGTERM)
  }
}

private final class Numbers: Sendable {
  private let numbers = Mutex<[Int32]>([])
  func add(_ number: Int32) { numbers.withLock { $0.append(number) } }
  var all: [Int32] { numbers.withLock { $0 } }
}
