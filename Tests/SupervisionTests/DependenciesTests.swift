import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import Supervision

/// What follows from `depends on`, with real processes.
@Suite(.timeLimit(.minutes(10))) struct DependenciesTests {
  @Test("starts dependencies first, stops dependents first, and restarts dependents around a dead dependency")
  func dependencies() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service("web", dependencies: ["cache"]), vm.service("cache", dependencies: ["db"]), vm.service("db"),
      ])
      try await supervisor.start("web")
      #expect(vm.events == ["start db", "start cache", "start web"])
      try #require(vm.process("db")).signal(SIGKILL)
      try await until { vm.events.count == 8 }
      try await until { await supervisor.jobState() == .running }
      #expect(
        vm.events.dropFirst(3) == ["stop web", "stop cache", "start db", "start cache", "start web"])
      try await supervisor.stopAndWait()
      #expect(vm.events.suffix(3) == ["stop web", "stop cache", "stop db"])
      await supervisor.close()
    }
  }

  @Test("what depends on a service that fails when the agent begins, is started when that runs")
  func lateDependency() async throws {
    try await FakeVM.with { vm in
      let broken = "\(vm.folder)/broken"
      try writeTestFile(broken, "")
      let supervisor = try vm.supervisor()
      try await supervisor.load([vm.service("web", dependencies: ["db"]), failing("db", while: broken, vm)])
      try await until { vm.events.filter { $0 == "start db" }.count >= 2 }
      let error = await #expect(throws: DroverError.self) { try await supervisor.start("web") }
      #expect(error?.message == "starting db: failed to start (its program exited with 3)")
      #expect(!vm.events.contains("start web"))
      try Files.remove(broken)
      try await until { await supervisor.jobState() == .running }
      #expect(vm.events.filter { $0.hasSuffix(" web") } == ["start web"])
      await supervisor.close()
    }
  }

  @Test("a service that is stopped while it waits for what it depends on, stays stopped")
  func stoppedWhileWaiting() async throws {
    try await FakeVM.with { vm in
      let broken = "\(vm.folder)/broken"
      try writeTestFile(broken, "")
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service("web", dependencies: ["db"]), failing("db", while: broken, startTimeout: .seconds(300), vm),
      ])
      let started = Task { try await supervisor.start("web") }
      try await until { vm.events == ["start db"] }
      try await supervisor.stop("web")
      try Files.remove(broken)
      // The start program of db was run once, in vain; its process is made by hand.
      try await Command("sh", "-c", "sleep 1000 >/dev/null 2>&1 & echo $! > \(vm.pidfile("db"))").run()
      let error = await #expect(throws: DroverError.self) { try await started.value }
      #expect(error?.message == "starting web: it was stopped meanwhile")
      #expect(vm.process("db") != nil && vm.process("web") == nil)
      #expect(!vm.events.contains("start web"))
      await supervisor.close()
    }
  }

  @Test(
    "what depends on a service that cannot be stopped for its restart is started again", arguments: [":", nil])
  func stubbornDependency(stop: String?) async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      var database = try vm.service("db", stop: stop, stopTimeout: .milliseconds(200))
      if stop == nil { database.stop = nil }
      try await supervisor.load([vm.service("web", dependencies: ["db"]), database])
      try await supervisor.start("web")
      let process = vm.process("db")
      try? await supervisor.restart("db")
      try await until { vm.events.filter { $0.hasSuffix(" web") } == ["start web", "stop web", "start web"] }
      try await until { vm.process("web") != nil }
      #expect(vm.process("db") == process)
      await supervisor.close()
    }
  }

  @Test("a service is not started before all that it depends on run")
  func twoDependencies() async throws {
    try await FakeVM.with { vm in
      let broken = "\(vm.folder)/broken"
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service("web", dependencies: ["db", "cache"]), failing("db", while: broken, vm), vm.service("cache"),
      ])
      try await supervisor.start("web")
      try writeTestFile(broken, "")
      try #require(vm.process("db")).signal(SIGKILL)
      try await until { vm.events.filter { $0 == "start db" }.count >= 2 }
      try await supervisor.restart("cache")
      #expect(vm.events.filter { $0.hasSuffix(" web") } == ["start web", "stop web"])
      try Files.remove(broken)
      try await until { await supervisor.jobState() == .running }
      #expect(vm.events.filter { $0.hasSuffix(" web") } == ["start web", "stop web", "start web"])
      await supervisor.close()
    }
  }

  @Test("a restart of a service waits for what it depends on as a start does")
  func restartWithoutDependency() async throws {
    try await FakeVM.with { vm in
      let broken = "\(vm.folder)/broken"
      try writeTestFile(broken, "")
      let supervisor = try vm.supervisor()
      try await supervisor.load([vm.service("web", dependencies: ["db"]), failing("db", while: broken, vm)])
      try await until { vm.events.filter { $0 == "start db" }.count >= 2 }
      let error = await #expect(throws: DroverError.self) { try await supervisor.restart("web") }
      #expect(error?.message == "restarting web: what it depends on does not run; it is started as soon as that does")
      #expect(!vm.events.contains("start web"))
      try Files.remove(broken)
      try await until { await supervisor.jobState() == .running }
      try await supervisor.restart("web")
      #expect(vm.events.filter { $0.hasSuffix(" web") } == ["start web", "stop web", "start web"])
      await supervisor.close()
    }
  }

  @Test("all that a service depends on is started, also when the first one fails at first")
  func firstFails() async throws {
    try await FakeVM.with { vm in
      let broken = "\(vm.folder)/broken"
      try writeTestFile(broken, "")
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service("web", dependencies: ["db", "cache"]), failing("db", while: broken, vm), vm.service("cache"),
      ])
      for name in ["web", "db", "cache"] { try await supervisor.stop(name) }
      await #expect(throws: DroverError.self) { try await supervisor.start("web") }
      #expect(vm.process("cache") != nil && vm.process("web") == nil)
      try Files.remove(broken)
      try await until { await supervisor.jobState() == .running }
      await supervisor.close()
    }
  }

  @Test("what is stopped while a start waits for something else is not started by it")
  func stoppedDependency() async throws {
    try await FakeVM.with { vm in
      let slow = "\(vm.folder)/slow"
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service("web", dependencies: ["db", "cache"]), vm.service("cache"),
        vm.service(
          "db", start: "while ! test -e \(slow); do sleep 0.02; done; sleep 1000 & echo $! > \(vm.pidfile("db"))"),
      ])
      try await until { await supervisor.drivers["web"]?.standing == .heldBack && vm.process("cache") != nil }
      try await supervisor.stop("cache")
      let started = Task { try await supervisor.start("web") }
      try await until { await supervisor.drivers["web"]?.standing == .heldBack && vm.events.contains("start db") }
      try await supervisor.stop("cache")
      try writeTestFile(slow, "")
      await #expect(throws: DroverError.self) { try await started.value }
      try await until { vm.process("db") != nil }
      #expect(vm.process("cache") == nil && vm.process("web") == nil)
      #expect(!vm.events.contains("start web"))
      await supervisor.close()
    }
  }

  @Test("a start while that is being stopped which it depends on, waits")
  func startWhileStopping() async throws {
    try await FakeVM.with { vm in
      let go = "\(vm.folder)/go"
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service(
          "web", dependencies: ["db"],
          stop: "while ! test -e \(go); do sleep 0.02; done; kill $(cat \(vm.pidfile("web")))"), vm.service("db"),
      ])
      try await supervisor.start("web")
      let stopped = Task { try await supervisor.stop("db") }
      try await until { vm.events.contains("stop web") }
      let started = Task { try await supervisor.start("web") }
      try await until {
        if case .stopping(_, .held) = await supervisor.drivers["web"]?.machine.phase { true } else { false }
      }
      try writeTestFile(go, "")
      try await stopped.value
      await #expect(throws: DroverError.self) { try await started.value }
      #expect(vm.process("db") == nil && vm.process("web") == nil)
      try await supervisor.start("db")
      try await until { vm.process("web") != nil }
      await supervisor.close()
    }
  }

  @Test("restarts of all at once end well, and a start while a dependency restarts waits for it")
  func restartAll() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service("web", dependencies: ["cache"]), vm.service("cache", dependencies: ["db"]),
        vm.service("db", stop: "sleep 0.3; kill $(cat \(vm.pidfile("db")))"),
      ])
      try await supervisor.start("web")
      for _ in 1...3 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for name in ["db", "web", "cache"] { group.addTask { try await supervisor.restart(name) } }
          try await group.waitForAll()
        }
        try await until { await supervisor.jobState() == .running }
      }
      let restarted = Task { try await supervisor.restart("db") }
      try await until { vm.events.filter { $0 == "stop db" }.count >= 4 }
      try await supervisor.start("web")
      try await restarted.value
      try await until { await supervisor.jobState() == .running }
      await supervisor.close()
    }
  }

  @Test("a start ends when the control files are read anew meanwhile, and the new definition counts")
  func reload() async throws {
    try await FakeVM.with { vm in
      let go = "\(vm.folder)/go"
      let supervisor = try vm.supervisor()
      var slow = try vm.service(
        "web", dependencies: ["db"],
        start: "while ! test -e \(go); do sleep 0.02; done; sleep 1000 & echo $! > \(vm.pidfile("web"))")
      let database = try vm.service("db")
      try await supervisor.load([slow, database])
      let started = Task { try await supervisor.start("web") }
      try await until { vm.events.contains("start web") }
      slow.place = "another line"
      try await supervisor.load([slow, database])
      let error = await #expect(throws: DroverError.self) { try await started.value }
      #expect(error?.message == "starting web: its control file was read anew meanwhile")
      try writeTestFile(go, "")
      try await until { await supervisor.jobState() == .running }
      #expect(!(await supervisor.isBusy("web", for: .start)))
      await supervisor.close()
    }
  }

  /// One whose start fails as long as a file is there.
  private func failing(
    _ name: String, while file: String, startTimeout: Duration = .milliseconds(300), _ vm: FakeVM
  ) throws -> ServiceDefinition {
    try vm.service(
      name, start: "test ! -e \(file) || exit 3; sleep 1000 & echo $! > \(vm.pidfile(name))",
      startTimeout: startTimeout)
  }
}
