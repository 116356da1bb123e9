import Formats
import Testing

@testable import Supervision

@Suite struct ControlFileTests {
  private func parse(_ text: String) throws -> [ServiceDefinition] { try ControlFile.parse(text, file: "job.monitrc") }

  @Test("reads a service as most jobs write it")
  func typical() throws {
    let services = try parse(
      """
      # a comment
      check process redis
        with pidfile /var/vcap/sys/run/redis/redis.pid
        start program "/var/vcap/jobs/redis/bin/ctl start" with timeout 60 seconds
        stop program "/var/vcap/jobs/redis/bin/ctl stop"
        group vcap
      """)
    #expect(
      services == [
        ServiceDefinition(
          name: "redis", kind: .process(pidfile: "/var/vcap/sys/run/redis/redis.pid"),
          start: ServiceProgram(["/var/vcap/jobs/redis/bin/ctl", "start"], timeout: .seconds(60)),
          stop: ServiceProgram(["/var/vcap/jobs/redis/bin/ctl", "stop"]), groups: ["vcap"], place: "job.monitrc line 2")
      ])
    #expect(services.first?.isManaged == true)
  }

  @Test("reads users, dependencies and several services")
  func dependencies() throws {
    let services = try parse(
      """
      CHECK PROCESS postgres WITH PIDFILE "/run/postgres.pid"
        start program "/ctl start" as uid vcap and gid vcap with timeout 300 seconds
        stop program "/ctl stop" as uid "1000" and gid 1000 timeout 20 seconds
        group vcap
      check process janitor with pidfile /run/janitor.pid
        start = "/janitor start"
        stop program"/janitor stop"
        depends on postgres, other
        group vcap
      """)
    #expect(services.map(\.name) == ["postgres", "janitor"])
    #expect(
      services[0].start == ServiceProgram(["/ctl", "start"], timeout: .seconds(300), user: "vcap", group: "vcap"))
    #expect(services[0].stop == ServiceProgram(["/ctl", "stop"], timeout: .seconds(20), user: "1000", group: "1000"))
    #expect(services[1].dependencies == ["postgres", "other"])
    #expect(services[1].stop?.arguments == ["/janitor", "stop"])
  }

  @Test("reads the other kinds of services, bare paths, and a name without a kind")
  func kinds() throws {
    let services = try parse(
      """
      check file log with path /var/log/x
      check device disk with path /dev/sda
      check host peer with address 10.0.0.1
      check short pidfile /run/a=b.pid start /a/b=c stop /d
      """)
    #expect(
      services.map(\.kind) == [
        .file(path: "/var/log/x"), .device(path: "/dev/sda"), .host(address: "10.0.0.1"),
        .process(pidfile: "/run/a=b.pid"),
      ])
    #expect(services[3].start?.arguments == ["/a/b=c"])
  }

  @Test(
    "splits programs at blanks, keeping single-quoted arguments whole",
    arguments: [
      ("/a b  c", ["/a", "b", "c"]), ("/bin/sh -c 'a b' d", ["/bin/sh", "-c", "a b", "d"]), ("/a ''", ["/a", ""]),
    ])
  func programs(_ text: String, _ arguments: [String]) throws {
    #expect(try parse("check process x pidfile /p start \"\(text)\"").first?.start?.arguments == arguments)
  }

  @Test("reads tests of resources, restarts, connections and timestamps")
  func tests() throws {
    let tests =
      try parse(
        """
        check process x with pidfile /p
          if totalmem > 80 % for 3 cycles then alert
          if totalmem greater than 512 Mb then exec "/bin/kill x"
          if 4 restarts within 5 cycles then timeout
          if failed unixsocket /run/x.sock with timeout 5 seconds for 2 times within 4 cycles then restart
          if failed host 127.0.0.1 port 80 protocol HTTP request "/health" then restart else if recovered then alert
          if failed port 22 type tcp then alert
          if SPACE usage > 90% then alert
          if changed timestamp then exec "/reload"
        """
      ).first?.tests ?? []
    let tcp = { (host: String, port: Int) in ServiceTest.Connection.Target.tcp(host: host, port: port) }
    let expected: [(ServiceTest.Condition, Int, Int, ServiceTest.Action)] = [
      (.resource(name: "totalmem", .greater, 80, .percent), 3, 3, .alert),
      (.resource(name: "totalmem", .greater, 536_870_912, .bytes), 1, 1, .exec(["/bin/kill", "x"])),
      (.restarts, 4, 5, .unmonitor),
      (
        .connection(
          .init(target: .unixSocket(path: "/run/x.sock"), protocolName: nil, request: nil, timeout: .seconds(5))), 2, 4,
        .restart
      ),
      (
        .connection(
          .init(target: tcp("127.0.0.1", 80), protocolName: "http", request: "/health", timeout: .seconds(5))), 1, 1,
        .restart
      ),
      (
        .connection(.init(target: tcp("localhost", 22), protocolName: nil, request: nil, timeout: .seconds(5))), 1, 1,
        .alert
      ),
      (.resource(name: "space", .greater, 90, .percent), 1, 1, .alert),
      (.changedTimestamp, 1, 1, .exec(["/reload"])),
    ]
    #expect(tests.count == expected.count)
    for (test, wanted) in zip(tests, expected) {
      #expect(test.condition == wanted.0)
      #expect(test.count == wanted.1 && test.cycles == wanted.2 && test.action == wanted.3)
    }
    #expect(tests.count > 4 && tests[4].recovery == .alert)
  }

  @Test("takes a file without services for an empty one", arguments: ["", "\n\n", "# nothing here\n", " # a\n#b"])
  func empty(_ text: String) throws {
    #expect(try parse(text).isEmpty)
  }

  @Test(
    "says where a mistake is, what was found, and what is allowed",
    arguments: [
      ("check process x\n  start program \"/a\"", "job.monitrc line 2: found 'start'; expected 'with pidfile PATH'"),
      ("check process x pidfile p", "job.monitrc line 1: found 'p'; expected an absolute path"),
      ("check process", "job.monitrc line 1: the file ends here; expected the name of a service"),
      ("\nfrobnicate", "job.monitrc line 2: found 'frobnicate'; expected 'check process'"),
      (
        "check process x pidfile /p\n\nstart \"a b\"",
        "line 3: found \"a b\"; expected the start program by its absolute path"
      ),
      ("check process x pidfile /p start \"/a\nb\"", "line 1: a quotation mark is not closed on its line"),
      ("check process x pidfile /p start \"/a\" start \"/b\"", "line 1: the service has a start program already"),
      ("check process x pidfile /p\nmode manual", "line 2: of the modes, only 'active' is supported"),
      ("check process x pidfile /p\nevery 2 cycles", "line 2: found 'every'; expected start, stop, group"),
      ("check system localhost", "job.monitrc line 1: 'check system' is not supported"),
      ("check directory x with path /x", "job.monitrc line 1: 'check directory' is not supported"),
      ("check process x pidfile /p start \"/a\" timeout soon", "found 'soon'; expected a number of seconds"),
      (
        "check process x pidfile /p if totalmem > 5 parsecs then alert",
        "found 'parsecs'; expected 'then' and an action"
      ),
      (
        "check process x pidfile /p if totalmem > 5pc then alert",
        "found '5pc'; expected a number with one of the units"
      ),
      ("check process x pidfile /p if totalmem ~ 5 then alert", "expected a comparison"),
      ("check process x pidfile /p if totalmem > 5 for 65 cycles then alert", "1 to 64 cycles"),
      ("check process x pidfile /p if failed port 99999 then alert", "expected a port from 1 to 65535"),
      ("check process x pidfile /p if failed host h then alert", "expected 'port N' or 'unixsocket PATH'"),
      ("check process x pidfile /p if cpu > 5 then dance", "found 'dance'; expected an action"),
      ("set daemon 10", "found 'set'; expected 'check process'"),
    ])
  func mistakes(_ text: String, _ message: String) throws {
    let error = #expect(throws: DroverError.self) { try parse(text) }
    #expect(error?.message.contains(message) ?? false, "\(error?.message ?? "no error")")
  }

  @Test("survives any mixture of its own words")
  func mixtures() {
    let words = [
      "check", "process", "file", "host", "x", "with", "pidfile", "/p", "start", "stop", "program", "\"/a b\"", "\"",
      "'",
      "timeout", "5", "seconds", "group", "vcap", "depends", "on", "if", "failed", "port", "80", "then", "restart",
      "else",
      "totalmem", ">", "<=", "%", "10%", "cycles", "within", "exec", "=", "\n", "#", "(", ";", "é", "\0", "restarts",
      "99999999999999999999", "1e400", "unixsocket", "protocol", "uid", "mode", "changed", "timestamp", "",
    ]
    var seed: UInt64 = 42
    func next(_ bound: Int) -> Int {
      seed = seed &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(seed >> 33) % bound
    }
    var parsed = 0
    for _ in 0..<20_000 {
      let text = (0..<next(25)).map { _ in words[next(words.count)] }.joined(separator: next(8) == 0 ? "" : " ")
      do {
        _ = try parse("check process x pidfile /p " + text)
        parsed += 1
      } catch let error as DroverError {
        #expect(error.message.hasPrefix("job.monitrc line "))
      } catch {
        Issue.record("\(error)")
      }
    }
    #expect(parsed > 100)
  }
}
