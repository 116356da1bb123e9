import Files
import Formats
import Glibc
import Logging
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Supervision

/// Tests of control files, made on real processes, files and sockets, in short cycles.
@Suite(.timeLimit(.minutes(10))) struct SupervisorCycleTests {
  private func supervisor(_ vm: FakeVM) throws -> Supervisor {
    try Supervisor(
      paths: vm.paths, cycle: .milliseconds(100), surroundings: .system,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  /// The first alert about this kind of event.
  private func firstAlert(_ kind: ServiceEvent.Kind, _ supervisor: Supervisor) async -> ServiceAlert? {
    for await alert in supervisor.alerts where alert.event.kind == kind { return alert }
    return nil
  }

  private func tests(_ text: String, of check: String = "process x pidfile /p") throws -> [ServiceTest] {
    let services = try ControlFile.parse("check \(check)\n\(text)", file: "f")
    return try #require(services.first).tests
  }

  @Test("a process that uses too much is restarted, and the alert says how much")
  func resource() async throws {
    try await FakeVM.with { vm in
      var web = try vm.service("web")
      web.tests = try tests("if totalmem > 1 kb for 2 cycles then restart")
      let supervisor = try supervisor(vm)
      try await supervisor.load([web])
      try await supervisor.start("web")
      try await until { vm.events.count >= 3 }
      #expect(vm.events.prefix(3) == ["start web", "stop web", "start web"])
      let alert = try #require(await firstAlert(.resource, supervisor))
      #expect(alert.event.name == "Resource limit matched" && alert.action == .restart)
      #expect(alert.description.hasPrefix("total mem amount of "))
      try await until { await supervisor.status().first?.bits == 2 }
      try await supervisor.stop("web")
      #expect(await supervisor.status().first?.bits == 0)
      await supervisor.close()
    }
  }

  @Test("a program of a test is told what happened")
  func exec() async throws {
    try await FakeVM.with { vm in
      var web = try vm.service("web")
      try writeTestFile(
        "\(vm.folder)/told", "#!/bin/sh\nenv > \(vm.folder)/env.new; mv \(vm.folder)/env.new \(vm.folder)/env\n",
        mode: 0o755)
      web.tests = try tests("if failed unixsocket \(vm.folder)/none then exec \"\(vm.folder)/told\"")
      let supervisor = try supervisor(vm)
      try await supervisor.load([web])
      try await until { try Files.exists("\(vm.folder)/env") }
      let lines = (Files.textIfPresent("\(vm.folder)/env") ?? "").split(separator: "\n").map(String.init)
      #expect(lines.contains("MONIT_EVENT=Connection failed") && lines.contains("MONIT_SERVICE=web"))
      #expect(lines.contains { $0.hasPrefix("MONIT_DESCRIPTION=failed, cannot open a connection to UNIX[") })
      #expect(lines.contains { $0.hasPrefix("MONIT_PROCESS_PID=") })
      let alert = try #require(await firstAlert(.connection, supervisor))
      #expect(alert.action == .exec)
      #expect(await supervisor.jobState() == .failing)
      await supervisor.close()
    }
  }

  @Test("a service that dies again and again is unmonitored by its limit, and stays so over a restart of the agent")
  func limit() async throws {
    try await FakeVM.with { vm in
      var web = try vm.service("web", start: "sleep 0.05 & echo $! > \(vm.pidfile("web"))")
      web.tests = try tests("if 2 restarts within 64 cycles then timeout")
      let supervisor = try supervisor(vm)
      try await supervisor.load([web])
      try await until { await supervisor.status().first?.monitoring == .no }
      let alert = try #require(await firstAlert(.timeout, supervisor))
      #expect(alert.event.name == "Timeout" && alert.action == .unmonitor)
      #expect(alert.description.hasSuffix("- unmonitor"))
      await supervisor.close()
      let next = try self.supervisor(vm)
      try await next.load([web])
      #expect(await next.status().first?.monitoring == .no)
      await next.close()
    }
  }

  @Test("files are looked at, made by their start program, and what changes is told")
  func file() async throws {
    try await FakeVM.with { vm in
      let path = "\(vm.folder)/flag"
      var flag = try vm.service("flag", start: "echo x > \(path)", stop: "rm -f \(path)")
      flag.kind = .file(path: path)
      flag.tests = try tests("if changed size then alert", of: "file x path /p")
      let supervisor = try supervisor(vm)
      try await supervisor.load([flag])
      try await until { try vm.events == ["stop flag", "start flag"] && Files.exists(path) }
      try await until { await supervisor.jobState() == .running }
      // Nobody knows when it is looked at first, so it keeps growing until a change is told.
      let growing = Task {
        for length in 10..<1000 {
          try writeTestFile(path, String(repeating: "x", count: length))
          try await Task.sleep(for: .milliseconds(100))
        }
      }
      let alert = try #require(await firstAlert(.size, supervisor))
      growing.cancel()
      _ = try? await growing.value
      #expect(alert.event.name == "Size changed")
      try Files.remove(path)
      try await until { vm.events.count == 4 }
      try await until { await supervisor.jobState() == .running }
      try await supervisor.stop("flag")
      #expect(try !Files.exists(path) && vm.events.last == "stop flag")
      await supervisor.close()
    }
  }

  @Test("a machine's filesystem, folder, host and the machine itself can be checked")
  func others() async throws {
    try await FakeVM.with { vm in
      let services = try ControlFile.parse(
        """
        check device root with path /tmp
          if space usage > 100% then alert
          group vcap
        check directory etc with path /etc
          if failed uid 0 then alert
        check host me with address 127.0.0.1
          if failed port 1 then alert
        check system here
          if loadavg(1min) > 100000 then alert
        """, file: "f")
      let supervisor = try supervisor(vm)
      try await supervisor.load(services)
      try await until { await supervisor.status().first { $0.name == "me" }?.failures.isEmpty == false }
      let states = Dictionary(uniqueKeysWithValues: await supervisor.status().map { ($0.name, MonitText.state($0)) })
      #expect(
        states == ["root": "accessible", "etc": "accessible", "me": "Connection failed", "here": "running"])
      await supervisor.close()
    }
  }

  @Test("a start program that runs while the agent is killed is not run a second time")
  func startSurvives() async throws {
    try await FakeVM.with { vm in
      let slow = try vm.service(
        "slow", start: "sleep 1; setsid sleep 1000 & echo $! > \(vm.pidfile("slow"))")
      let first = try vm.supervisor()
      try await first.load([slow])
      try await until { vm.events == ["start slow"] }
      let table = ProcessTable.snapshot()
      let leader = try #require(
        table.sessionLeaders(having: ["MONIT_SERVICE": "slow"]).first { $0.arguments.contains("\(vm.folder)/slow-ctl") }
      )
      // As a kill does: nothing is done any more, and nothing is remembered.
      await first.close()
      let second = try vm.supervisor()
      try await second.load([slow])
      do {
        try await second.start("slow")
      } catch {
        let log = ServiceLog(service: "slow", paths: vm.paths)
        let left = ProcessTable.snapshot().members(ofSessionOrGroup: leader.pid)
        Issue.record(
          """
          \(error); \(vm.events), \(Files.textIfPresent(vm.pidfile("slow")) ?? "no pidfile"), \
          said \(log.lastLines(since: 0)), memory \(Files.textIfPresent(vm.paths.supervisorMemory) ?? ""), \
          its program \(leader) \(leader.isAlive ? "lives" : "is gone"), of its session \(left)
          """)
      }
      #expect(vm.events == ["start slow"])
      #expect(vm.process("slow") != nil)
      await second.close()
    }
  }

  @Test("a failed start says why with the last lines of what its program said")
  func output() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service("bad", start: "echo one; echo no such port >&2; exit 3", startTimeout: .milliseconds(300))
      ])
      let error = await #expect(throws: DroverError.self) { try await supervisor.start("bad") }
      #expect(error?.message == "starting bad: failed to start (its program exited with 3: one; no such port)")
      await supervisor.close()
    }
  }

  @Test("a mistake in one job's control file is told, and the other jobs' services run")
  func oneMistake() async throws {
    try await FakeVM.with { vm in
      _ = try vm.service("good")
      try writeTestFile(
        "\(vm.paths.controlFiles)/0000_good.monitrc",
        """
        check process good with pidfile \(vm.pidfile("good"))
          start program "\(vm.folder)/good-ctl start"
          stop program "\(vm.folder)/good-ctl stop"
          group vcap
        """)
      try writeTestFile("\(vm.paths.controlFiles)/0001_bad.monitrc", "check process bad\n  with pidfil /x\n")
      let supervisor = try vm.supervisor()
      let error = await #expect(throws: DroverError.self) { try await supervisor.loadControlFiles() }
      #expect(error?.message.contains("0001_bad.monitrc line 2, column 8: found 'pidfil'") == true)
      try await until { await supervisor.jobState() == .running }
      await supervisor.close()
    }
  }
}
