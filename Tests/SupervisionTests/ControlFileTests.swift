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
      check directory etc with path /etc
      check host peer with address 10.0.0.1
      check system here
      check short pidfile /run/a=b.pid start /a/b=c stop /d
      """)
    #expect(
      services.map(\.kind) == [
        .file(path: "/var/log/x"), .device(path: "/dev/sda"), .directory(path: "/etc"), .host(address: "10.0.0.1"),
        .system, .process(pidfile: "/run/a=b.pid"),
      ])
    #expect(services[5].start?.arguments == ["/a/b=c"])
  }

  @Test(
    "splits programs at blanks, keeping single-quoted arguments whole",
    arguments: [
      ("/a b  c", ["/a", "b", "c"]), ("/bin/sh -c 'a b' d", ["/bin/sh", "-c", "a b", "d"]), ("/a ''", ["/a", ""]),
    ])
  func programs(_ text: String, _ arguments: [String]) throws {
    #expect(try parse("check process x pidfile /p start \"\(text)\"").first?.start?.arguments == arguments)
  }

  @Test("takes a file without services for an empty one", arguments: ["", "\n\n", "# nothing here\n", " # a\n#b"])
  func empty(_ text: String) throws {
    #expect(try parse(text).isEmpty)
  }

  @Test(
    "says where a mistake is, what was found, and what is allowed",
    arguments: [
      ("check process x\n  start program \"/a\"", "job.monitrc line 2: found 'start'; expected 'with pidfile PATH' or"),
      ("check process x pidfile p", "job.monitrc line 1: found 'p'; expected an absolute path"),
      ("check process", "job.monitrc line 1: the file ends after this; expected the name of a service"),
      ("\nfrobnicate", "job.monitrc line 2: found 'frobnicate'; expected 'check' and what"),
      (
        "check process x pidfile /p\n\nstart \"a b\"",
        "line 3: found \"a b\"; expected the start program by its absolute path"
      ),
      ("check process x pidfile /p start \"/a\nb\"", "line 1: a quotation mark is not closed on its line"),
      ("check process x pidfile /p start \"/a\" start \"/b\"", "line 1: the service has a start program already"),
      ("check process x pidfile /p\nmode manual", "line 2: of the modes, only 'active' is supported"),
      ("check process x pidfile /p\nevery 2 cycles", "line 2: found 'every'; expected start, stop, group"),
      ("check fifo x with path /x", "job.monitrc line 1: 'check fifo' is not supported"),
      ("check process \"a b\" pidfile /p", "line 1: found \"a b\"; expected a name of a service without blanks"),
      ("check process x pidfile /p start \"/a\" timeout soon", "found 'soon'; expected a number of seconds"),
      (
        "check process x pidfile /p if totalmem > 5 parsecs then alert",
        "found 'parsecs'; expected 'then' and an action"
      ),
      ("check process x pidfile /p\n if size > 5 mb then alert", "line 2: 'if size' is no test for 'check process'"),
      ("check file x path /p\n if failed port 80 then alert", "line 2: 'if failed port' is no test for 'check file'"),
      ("check process x pidfile /p if failed port 1 protocol smtp then alert", "found 'smtp'; expected 'http'"),
      ("check process x pidfile /p if failed port 1 request \"/\" then alert", "expected 'protocol http' before"),
      ("check process x pidfile /p if failed port 1 type tcpssl then alert", "expected 'tcp' or 'udp'"),
      ("check file x path /p if failed permission 999 then alert", "found '999'; expected permissions in octal"),
      ("check file x path /p if failed checksum expect 12 then alert", "MD5 is not supported"),
      ("check file x path /p if changed permission then alert", "expected 'timestamp', 'size' or 'checksum'"),
      ("check file x path /p if match \"x\" then alert", "found 'match'; expected cpu, totalcpu"),
      ("check process x pidfile /p if does not exist then alert", "found 'not'; expected cpu, totalcpu"),
      ("check system x if cpu > 5% then alert", "expected '(user)', '(system)' or '(wait)'"),
      ("check process x pidfile /p if loadavg > 5 then alert", "expected '(1min)', '(5min)' or '(15min)'"),
      ("check process x pidfile /p if 0 restarts within 5 cycles then timeout", "at least 1 restart"),
      (
        "check process x pidfile /p if totalmem > 5pc then alert",
        "found '5pc'; expected a number with one of the units"
      ),
      ("check process x pidfile /p if totalmem ~ 5 then alert", "expected a comparison"),
      ("check process x pidfile /p if totalmem > 5 for 65 cycles then alert", "1 to 64 cycles"),
      ("check process x pidfile /p if failed port 99999 then alert", "expected a port from 1 to 65535"),
      ("check process x pidfile /p if failed host h then alert", "expected 'port N' or 'unixsocket PATH'"),
      ("check process x pidfile /p if cpu > 5 then dance", "found 'dance'; expected an action"),
      ("check process x matching \"a(b\"", "line 1: \"a(b\" is no regular expression: Unmatched ( or"),
      ("check process x matching", "the file ends after this; expected what the command line has"),
      (
        "check process x pidfile /p if failed port 1 protocol http send \"x\" then alert",
        "'send' and 'expect' are for protocols other than http"
      ),
      ("check process x pidfile /p if failed port 1 expect \"[\" then alert", "\"[\" is no regular expression"),
      ("set daemon 10", "found 'set'; expected 'check' and what"),
    ])
  func mistakes(_ text: String, _ message: String) throws {
    let error = #expect(throws: DroverError.self) { try parse(text) }
    let found = (error?.message ?? "no error").replacing(#/, column \d+/#, with: "")
    #expect(found.contains(message), "\(found)")
  }

  @Test("counts columns from 1")
  func columns() {
    let error = #expect(throws: DroverError.self) { try parse("check process x\n  pidfil /p") }
    #expect(
      error?.message == "job.monitrc line 2, column 3: found 'pidfil'; expected 'with pidfile PATH' or 'matching REGEX'"
    )
    for text in ["\n start \"/a\" start \"/b\"", "\n mode manual\n  start \"/a\"", "\n if size > 5 mb then alert"] {
      let error = #expect(throws: DroverError.self) { try parse("check process x pidfile /p" + text) }
      #expect(error?.message.contains(#/line 2, column (13|7|5): /#) == true, "\(error?.message ?? "")")
    }
    let open = #expect(throws: DroverError.self) { try parse("check process x pidfile \"/p") }
    #expect(open?.message == "job.monitrc line 1, column 25: a quotation mark is not closed on its line")
  }

  @Test("survives any mixture of its own words")
  func mixtures() {
    let words = [
      "check", "process", "file", "host", "x", "with", "pidfile", "/p", "start", "stop", "program", "\"/a b\"", "\"",
      "'",
      "timeout", "5", "seconds", "group", "vcap", "depends", "on", "if", "failed", "port", "80", "then", "restart",
      "else",
      "totalmem", ">", "<=", "%", "10%", "cycles", "within", "exec", "=", "\n", "#", "(", ";", "é", "\0", "restarts",
      "99999999999999999999", "1e400", "permission", "size", "cpu", "(user)", "unixsocket", "protocol", "http", "uid",
      "mode", "changed", "timestamp", "matching", "send", "expect", "",
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
