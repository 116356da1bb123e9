import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import Supervision

@Suite(.timeLimit(.minutes(10))) struct SupervisorTests {
  @Test("starts what is loaded, in a session of its own with monit's environment, and tells its state")
  func start() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service(
          "web", start: "env > \(vm.folder)/env; pwd >> \(vm.folder)/env; sleep 1000 & echo $! > \(vm.pidfile("web"))")
      ])
      try await supervisor.start("web")
      #expect(await supervisor.jobState() == .running)
      let status = try #require(await supervisor.status().first)
      let process = try #require(vm.process("web"))
      #expect(status.state == .running && status.pid == process.pid && !status.isPending)
      let usage = try #require(status.usage)
      #expect(usage.memoryKilobytes > 0 && usage.memoryPercent > 0 && usage.uptime < .seconds(100))
      let stat = try #require(ProcessStat.read(pid: process.pid))
      #expect(stat.session != Int(getsid(0)))
      let lines = try #require(Files.textIfPresent("\(vm.folder)/env")).split(separator: "\n").map(String.init)
      #expect(lines.contains("PATH=/bin:/usr/bin:/sbin:/usr/sbin") && lines.contains("MONIT_SERVICE=web"))
      #expect(lines.last == "/")
      #expect(
        lines.allSatisfy {
          $0.hasPrefix("MONIT_") || ["PATH", "PWD", "TZ", "/"].contains(String($0.prefix { $0 != "=" }))
            || $0.hasPrefix("_=") || $0.hasPrefix("OLDPWD") || $0.hasPrefix("SHLVL")
        })
      #expect(vm.events == ["start web"])
      await supervisor.close()
      #expect(process.isAlive)
    }
  }

  @Test("starts a killed process again at once, and reports it")
  func restart() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([vm.service("web")])
      try await supervisor.start("web")
      let first = try #require(vm.process("web"))
      try first.signal(SIGKILL)
      try await until { vm.process("web").map { $0 != first } ?? false }
      try await until { await supervisor.jobState() == .running }
      #expect(vm.events == ["start web", "start web"])
      var alerts: [String] = []
      for await alert in supervisor.alerts {
        alerts.append("\(alert.service) - \(alert.event.name) - \(alert.action.rawValue): \(alert.description)")
        if alerts.count == 2 { break }
      }
      #expect(alerts.first == "web - Does not exist - restart: process is not running")
      #expect(alerts.last?.hasPrefix("web - Exists - alert: process is running with pid") == true)
      await supervisor.close()
    }
  }

  @Test("a pidfile that cannot be read is no reason to start a second process", arguments: Unreadable.allCases)
  func unreadable(_ kind: Unreadable) async throws {
    try await FakeVM.with { vm in
      let service = try vm.service("web", stop: "kill $(cat \(vm.folder)/kept)")
      let supervisor = try vm.supervisor()
      try await supervisor.load([service])
      try await supervisor.start("web")
      let process = try #require(vm.process("web"))
      #expect(rename(vm.pidfile("web"), "\(vm.folder)/kept") == 0)
      try kind.put(vm.pidfile("web"))
      try await supervisor.start("web")
      #expect(await supervisor.jobState() == .running)
      await supervisor.close()
      // The agent's next life knows it from its memory.
      let next = try vm.supervisor()
      try await next.load([service])
      #expect(await next.status().first?.pid == process.pid)
      #expect(vm.events == ["start web"])
      try await next.stop("web")
      #expect(vm.events == ["start web", "stop web"] && !process.isAlive)
      await next.close()
    }
  }

  @Test("takes over the process that a reload has put in place of the old one")
  func reload() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([vm.service("web")])
      try await supervisor.start("web")
      let first = try #require(vm.process("web"))
      let second = try DetachedProcess(["/bin/sleep", "1000"], environment: [:])
      try writeTestFile(vm.pidfile("web"), "\(second.pid)\n")
      try first.signal(SIGKILL)
      try await until { await supervisor.status().first?.pid == second.pid }
      #expect(vm.events == ["start web"])
      try await supervisor.stop("web")
      #expect(try await second.ending() == .signalled(15))
      await supervisor.close()
    }
  }

  @Test("stops, stays stopped over a restart of the agent, and starts again when told to")
  func stop() async throws {
    try await FakeVM.with { vm in
      let first = try vm.supervisor()
      let web = try vm.service("web")
      try await first.load([web])
      try await first.start("web")
      try await first.stopAndWait()
      #expect(vm.process("web") == nil)
      #expect(await first.jobState() == .stopped)
      #expect(await first.status().first?.monitoring == .no)
      await first.close()

      let second = try vm.supervisor()
      try await second.load([web])
      try await Task.sleep(for: .milliseconds(300))
      #expect(vm.process("web") == nil)
      #expect(await second.jobState() == .stopped)
      try await second.startAll()
      try await until { await second.jobState() == .running }
      #expect(vm.events == ["start web", "stop web", "start web"])
      await second.close()
    }
  }

  @Test("adopts what runs after a restart of the agent, and notices its death")
  func adoption() async throws {
    try await FakeVM.with { vm in
      let web = try vm.service("web")
      let first = try vm.supervisor()
      try await first.load([web])
      try await first.start("web")
      let process = try #require(vm.process("web"))
      await first.close()
      let second = try vm.supervisor()
      try await second.load([web])
      #expect(await second.status().first?.pid == process.pid)
      #expect(vm.events == ["start web"])
      try process.signal(SIGKILL)
      try await until { vm.events.count == 2 }
      try await until { await second.jobState() == .running }
      await second.close()
    }
  }

  @Test("does not take a process for its own that got the pid of a dead one")
  func recycledPid() async throws {
    try await FakeVM.with { vm in
      let stranger = try DetachedProcess(["/bin/sleep", "1000"], environment: [:])
      let identity = try #require(ProcessIdentity(livingPid: stranger.pid))
      try writeTestFile(vm.pidfile("web"), "\(stranger.pid)\n")
      var times = [timespec(tv_sec: 1_000_000_000, tv_nsec: 0), timespec(tv_sec: 1_000_000_000, tv_nsec: 0)]
      #expect(utimensat(AT_FDCWD, vm.pidfile("web"), &times, 0) == 0)
      let supervisor = try vm.supervisor()
      try await supervisor.load([vm.service("web")])
      try await until { await supervisor.jobState() == .running }
      #expect(vm.events == ["start web"])
      #expect(vm.process("web")?.pid != stranger.pid)
      #expect(identity.isAlive)
      try identity.signal(SIGKILL)
      _ = try await stranger.ending()
      await supervisor.close()
    }
  }

  @Test("unmonitored, a process may end without being started again")
  func unmonitor() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([vm.service("web")])
      try await supervisor.start("web")
      try await supervisor.unmonitorAll()
      #expect(await supervisor.jobState() == .failing)
      let process = try #require(vm.process("web"))
      try process.signal(SIGKILL)
      try await process.waitForExit()
      try await Task.sleep(for: .milliseconds(300))
      #expect(vm.events == ["start web"])
      try await supervisor.stopAndWait()
      #expect(vm.events == ["start web"])
      await supervisor.close()
    }
  }

  @Test("a start that fails says why, is tried again, and delays no other service")
  func failedStart() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service("bad", start: "exit 3", startTimeout: .milliseconds(300)),
        vm.service("slow", start: "sleep 1000"), vm.service("good"),
      ])
      try await supervisor.start("good")
      let error = await #expect(throws: DroverError.self) { try await supervisor.start("bad") }
      #expect(error?.message == "starting bad: failed to start (its program exited with 3)")
      let states = Dictionary(uniqueKeysWithValues: await supervisor.status().map { ($0.name, $0.state) })
      #expect(states == ["bad": .failing, "slow": .starting, "good": .running])
      #expect(await supervisor.jobState() == .starting)
      try await until { vm.events.filter { $0 == "start bad" }.count >= 2 }
      await supervisor.close()
    }
  }

  @Test("a process that does not stop is an error in the agent's words; a budget that runs out is another")
  func failedStop() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service("stubborn", stop: ":", stopTimeout: .milliseconds(200)), vm.service("web"),
      ])
      try await supervisor.start("stubborn")
      try await supervisor.start("web")
      let error = await #expect(throws: DroverError.self) { try await supervisor.stopAndWait() }
      #expect(error?.message == "Stopping services 'stubborn' errored")
      #expect(vm.process("stubborn") != nil && vm.process("web") == nil)
      await supervisor.close()
    }
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([vm.service("endless", stop: "sleep 1000")])
      try await supervisor.start("endless")
      let error = await #expect(throws: DroverError.self) {
        try await supervisor.stopAndWait(budget: .milliseconds(200))
      }
      #expect(error?.message == "Timed out waiting for services 'endless' to stop after 5 minutes")
      await supervisor.close()
    }
  }

  @Test("a new set of control files leaves unchanged services alone and forgets the others without stopping them")
  func load() async throws {
    try await FakeVM.with { vm in
      func write(_ name: String, file: String) throws {
        _ = try vm.service(name)
        try writeTestFile(
          "\(vm.paths.controlFiles)/\(file).monitrc",
          """
          check process \(name) with pidfile \(vm.pidfile(name))
            start program "\(vm.folder)/\(name)-ctl start"
            stop program "\(vm.folder)/\(name)-ctl stop"
            group vcap
          """)
      }
      try write("a", file: "0000_a")
      try write("b", file: "0001_b")
      let supervisor = try vm.supervisor()
      try await supervisor.loadControlFiles()
      try await until { await supervisor.jobState() == .running }
      let a = try #require(vm.process("a"))
      let b = try #require(vm.process("b"))

      try writeTestFile("\(vm.paths.controlFiles)/0002_bad.monitrc", "check nothing\n")
      try writeTestFile(
        "\(vm.paths.controlFiles)/0003_c.monitrc", "check process c pidfile /c\n  depends on nothing\n")
      let error = await #expect(throws: DroverError.self) { try await supervisor.loadControlFiles() }
      #expect(error?.message.contains("0002_bad.monitrc line 1") == true)
      #expect(error?.message.contains("0003_c.monitrc line 1: service 'c' depends on 'nothing', which is not") == true)
      #expect(await supervisor.status().map(\.name) == ["a", "b"])

      try Files.remove("\(vm.paths.controlFiles)/0002_bad.monitrc")
      try Files.remove("\(vm.paths.controlFiles)/0001_b.monitrc")
      try write("c", file: "0003_c")
      try await supervisor.loadControlFiles()
      try await until { await supervisor.jobState() == .running }
      #expect(await supervisor.status().map(\.name) == ["a", "c"])
      #expect(vm.process("a") == a && b.isAlive)
      #expect(vm.events.filter { $0.hasSuffix(" a") } == ["start a"])
      await supervisor.close()
    }
  }

  @Test("killing processes at random ends with all running and none doubled")
  func chaos() async throws {
    // DROVER_CHAOS_SECONDS=60 for a minute of it.
    let seconds = Environment.current()["DROVER_CHAOS_SECONDS"].flatMap { Int($0) } ?? 3
    try await FakeVM.with { vm in
      var supervisor = try vm.supervisor()
      let names = ["a", "b", "c", "d", "e"]
      // The pid of every process that was ever started is kept, so that a doubled one would be found.
      let services = try names.map { name in
        try vm.service(
          name, dependencies: name == "e" ? ["d"] : [],
          start: "sleep 1000 & echo $! > \(vm.pidfile(name)); echo $! >> \(vm.folder)/all-\(name)")
      }
      try await supervisor.load(services)
      for name in names { try await supervisor.start(name) }
      var random = SeededRandom(seed: 11)
      let end = ContinuousClock.now + .seconds(seconds)
      while ContinuousClock.now < end {
        switch Int.random(in: 0..<20, using: &random) {
        case 0:
          // The agent ends and begins again.
          await supervisor.close()
          supervisor = try vm.supervisor()
          try await supervisor.load(services)
        case 1: try? await supervisor.restart(names.randomElement(using: &random) ?? "a")
        default: try vm.process(names.randomElement(using: &random) ?? "a")?.signal(SIGKILL)
        }
        try await Task.sleep(for: .milliseconds(Int.random(in: 1...100, using: &random)))
      }
      do {
        try await until { await supervisor.jobState() == .running }
      } catch {
        Issue.record("\(await supervisor.status())")
        throw error
      }
      for name in names {
        let started = (Files.textIfPresent("\(vm.folder)/all-\(name)") ?? "").split(separator: "\n").compactMap {
          Int($0)
        }
        let alive = started.filter { ProcessIdentity(livingPid: $0) != nil }
        #expect(alive == [vm.process(name)?.pid].compactMap { $0 }, "\(name)")
        #expect(!started.isEmpty)
      }
      await supervisor.close()
    }
  }
}
