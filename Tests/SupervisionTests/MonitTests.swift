import Formats
import Logging
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Supervision

@Suite struct MonitTextTests {
  private func service(
    _ name: String, _ kind: ServiceDefinition.Kind = .process(pidfile: "/p"),
    _ monitoring: ServiceStatus.Monitoring = .yes, _ failures: [ServiceFailure] = [], pending: ServiceAction? = nil
  ) -> ServiceStatus {
    ServiceStatus(
      name: name, kind: kind, groups: ["vcap"], monitoring: monitoring, failures: failures, pendingAction: pending)
  }

  private func running() -> ServiceStatus {
    var running = service("web")
    running.pid = 12
    running.usage = ServiceUsage(
      parent: 1, uptime: .seconds(273_959), children: 2, ownMemoryKilobytes: 100,
      ownMemoryPercent: 0.04, ownCPUPercent: 1.25, memoryKilobytes: 2048, memoryPercent: 12.5, cpuPercent: 99.96)
    running.connections = [
      ServiceConnectionTime(
        connection: .init(target: .tcp(host: "localhost", port: 80), http: .init(path: "/up")), time: .milliseconds(12))
    ]
    return running
  }

  @Test("the summary has one line for each service, as scripts look for it")
  func summary() {
    let text = MonitText(
      services: [
        service("web"), service("db", pending: .restart), service("old", .process(pidfile: "/p"), .no),
        service("new", .process(pidfile: "/p"), .starting),
        service("dead", .process(pidfile: "/p"), .yes, [ServiceFailure(.doesNotExist, "process is not running")]),
        service("a-service-with-quite-a-long-name", .file(path: "/f")), service("peer", .host(address: "a")),
        service("disk", .device(path: "/d")),
      ], uptime: .seconds(3_900), host: "h")
    #expect(
      text.summary == """
        The Monit daemon 5.2.5 uptime: 1h 5m \n
        Process 'web'                       running
        Process 'db'                        running - restart pending
        Process 'old'                       not monitored
        Process 'new'                       initializing
        Process 'dead'                      Does not exist
        File 'a-service-with-quite-a-long-name' accessible
        Remote Host 'peer'                  online with all services
        Filesystem 'disk'                   accessible
        System 'system_h'                   running

        """)
  }

  @Test("the status has all that is known of a service")
  func status() {
    let text = MonitText(services: [running()], uptime: .zero, host: "h").status(now: Timestamp(seconds: 1_795_252_984))
    #expect(text.hasPrefix("The Monit daemon 5.2.5 uptime: 0m \n\nProcess 'web'\n"))
    for line in [
      "  status                            running", "  monitoring status                 monitored",
      "  pid                               12", "  parent pid                        1",
      "  uptime                            3d 4h 5m", "  children                          2",
      "  memory kilobytes                  100", "  memory kilobytes total            2048",
      "  memory percent                    0.0%", "  memory percent total              12.5%",
      "  cpu percent                       1.3%", "  cpu percent total                 100.0%",
      "  port response time                0.012s to localhost:80/up [HTTP via TCP]",
      "  data collected                    Sat Nov 21 09:23:04 2026",
    ] {
      #expect(text.contains(line + "\n"), "\(line)")
    }
    #expect(text.contains("\n\nSystem 'system_h'\n"))
  }

  @Test("the XML has what agents read")
  func xml() {
    let failing = service(
      "dead", .process(pidfile: "/p"), .yes,
      [ServiceFailure(.executionFailed, "failed to <start> ]]>"), ServiceFailure(ServiceEvent(.size, .changed), "x")],
      pending: .stop)
    let text = MonitText(services: [running(), failing], uptime: .seconds(7), host: "h")
    let xml = MonitXML(text: text, id: "i&d", incarnation: 99).document(now: Timestamp(seconds: 5))
    for piece in [
      "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><monit id=\"i&amp;d\" incarnation=\"99\" version=\"5.2.5\">",
      "<service name=\"web\"><type>3</type><collected_sec>5</collected_sec><collected_usec>0</collected_usec>"
        + "<status>0</status><status_hint>0</status_hint><monitor>1</monitor><monitormode>0</monitormode>"
        + "<pendingaction>0</pendingaction><pid>12</pid><ppid>1</ppid><uptime>273959</uptime>",
      "<memory><percent>0.0</percent><percenttotal>12.5</percenttotal><kilobyte>100</kilobyte>"
        + "<kilobytetotal>2048</kilobytetotal></memory><cpu><percent>1.3</percent><percenttotal>100.0</percenttotal></cpu>",
      "<status>4112</status><status_hint>16</status_hint><monitor>1</monitor><monitormode>0</monitormode>"
        + "<pendingaction>3</pendingaction><status_message><![CDATA[failed to <start> ]] >]]></status_message></service>",
      "<servicegroups><servicegroup name=\"vcap\"><service>web</service><service>dead</service></servicegroup>",
    ] {
      #expect(xml.contains(piece), "\(piece)")
    }
  }
}

@Suite struct MonitCommandTests {
  @Test(
    "understands what people and scripts type",
    arguments: [
      (["summary"], MonitCommand.summary(group: nil)), (["status", "web"], .status(group: nil)),
      (["-g", "vcap", "summary"], .summary(group: "vcap")),
      (["start", "web"], .act(.start, service: "web", group: nil)),
      (["stop", "all"], .act(.stop, service: nil, group: nil)),
      (["stop", "-g", "vcap"], .act(.stop, service: nil, group: "vcap")),
      (["-g", "vcap", "restart", "all"], .act(.restart, service: nil, group: "vcap")),
      (["-c", "/x", "unmonitor", "a"], .act(.unmonitor, service: "a", group: nil)),
      (["monitor", "a"], .act(.monitor, service: "a", group: nil)), (["reload", "anything"], .reload),
      (["-t"], .check), (["-V"], .version), (["-h"], .help), ([], .poke), (["-I"], .poke),
    ] as [([String], MonitCommand)])
  func commands(_ arguments: [String], _ command: MonitCommand) throws {
    #expect(try MonitCommand(arguments) == command)
  }

  @Test("refuses the rest", arguments: [["start"], ["quit"], ["dance"], ["-x"], ["-g"], ["-c"]])
  func mistakes(_ arguments: [String]) {
    let outcome = MonitProgram.run(arguments, paths: VMPaths(base: "/nowhere"), port: 1, waits: true)
    #expect(outcome.status == 1 && outcome.errors.hasPrefix("monit: ") && outcome.output.isEmpty)
  }

  @Test("says that nobody supervises")
  func nobody() {
    let paths = VMPaths(base: "/nowhere")
    let summary = MonitProgram.run(["summary"], paths: paths, port: 1, waits: true)
    #expect(summary.errors == "monit: no status available -- the monit daemon is not running\n" && summary.status == 1)
    #expect(MonitProgram.run(["start", "a"], paths: paths, port: 1, waits: true).status == 1)
  }

  @Test("checks the control files")
  func check() async throws {
    try await FakeVM.with { vm in
      func run() -> MonitProgram.Outcome { MonitProgram.run(["-t"], paths: vm.paths, port: 1, waits: true) }
      try writeTestFile("\(vm.paths.controlFiles)/0_a.monitrc", "check process a pidfile /p\n")
      #expect(run() == .init(output: "Control file syntax OK\n"))
      try writeTestFile("\(vm.paths.controlFiles)/0_a.monitrc", "check process a\n")
      try writeTestFile("\(vm.paths.controlFiles)/1_b.monitrc", "check process b pidfile b\n")
      #expect(run().errors.contains("1_b.monitrc line 1, column 25: found 'b'; expected an absolute path"))
      #expect(run().status == 1 && run().errors.contains("0_a.monitrc line 1, column 15: the file ends after this"))
    }
  }

  @Test(
    "is meant by its name alone", arguments: [("/usr/bin/monit", true), ("monit", true), ("/x/drover-agent", false)])
  func name(_ program: String, _ isMeant: Bool) {
    #expect(MonitProgram.isMeant(by: program) == isMeant)
  }
}

@Suite(.timeLimit(.minutes(10))) struct MonitFaceTests {
  private let authorization = "Basic \(Base64.encode(Array("vcap:secret".utf8)))"

  private func face(_ supervisor: Supervisor) -> MonitFace {
    MonitFace(supervisor, credentials: "vcap:secret", surroundings: .system)
  }

  private func request(_ method: String, _ target: String, _ body: String = "") -> MonitFace.Request {
    MonitFace.Request(method: method, target: target, authorization: authorization, body: body)
  }

  @Test("shows the services, and does what is asked for")
  func actions() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([
        vm.service("web"), vm.service("sticky", stop: "sleep 1000", stopTimeout: .seconds(50)),
      ])
      let face = face(supervisor)
      #expect(await face.answer(request("POST", "/web", "action=start&wait=1")).status == 200)
      let summary = await face.answer(request("GET", "/_status?format=text&level=summary"))
      #expect(summary.type == "text/plain" && summary.body.contains("Process 'web'                       running\n"))
      let xml = await face.answer(request("GET", "/_status2?format=xml"))
      #expect(xml.type == "text/xml" && xml.body.contains("<service>web</service>"))
      #expect(await face.answer(request("GET", "/_status?format=text&group=none")).body.contains("web") == false)

      try await supervisor.start("sticky")
      #expect(await face.answer(request("POST", "/sticky", "action=stop")).status == 200)
      #expect(await supervisor.status().last?.pendingAction == .stop)
      let busy = await face.answer(request("POST", "/sticky", "action=stop"))
      #expect(busy.status == 503 && busy.body.contains("Other action already in progress -- please try again later"))
      #expect(await face.answer(request("POST", "/sticky", "action=unmonitor")).status == 200)

      #expect(await face.answer(request("POST", "/_all", "action=stop&group=none&wait=1")).status == 200)
      #expect(await face.answer(request("POST", "/web", "action=stop&wait=1")).status == 200)
      #expect(vm.process("web") == nil)
      await supervisor.close()
    }
  }

  @Test("tells why not")
  func refusals() async throws {
    try await FakeVM.with { vm in
      let supervisor = try vm.supervisor()
      try await supervisor.load([vm.service("bad", start: "exit 7", startTimeout: .milliseconds(200))])
      let face = face(supervisor)
      let stranger = MonitFace.Request(method: "GET", target: "/_status2?format=xml", authorization: "Basic x")
      #expect(await face.answer(stranger).status == 401)
      #expect(await face.answer(.init(method: "GET", target: "/")).status == 401)
      #expect(await face.answer(request("POST", "/none", "action=start")).status == 404)
      #expect(await face.answer(request("POST", "/bad", "action=dance")).status == 400)
      #expect(await face.answer(request("PUT", "/bad")).status == 501)
      try await until { await !supervisor.isBusy("bad", for: .start) }
      let failed = await face.answer(request("POST", "/bad", "action=start&wait=1"))
      #expect(failed.status == 500)
      let message = try MonitClient.answer(Array("HTTP/1.1 500 x\r\nA: b\r\n\r\n\(failed.body)".utf8)).message
      #expect(message == "starting bad: failed to start (its program exited with 7)")
      await supervisor.close()
    }
  }

  @Test("reads forms")
  func forms() {
    #expect(
      MonitFace.fields("action=start&x=a%20b+c&y&z=%zz") == ["action": "start", "x": "a b c", "y": "", "z": "%zz"])
  }
}
