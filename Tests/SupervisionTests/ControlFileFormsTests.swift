import Formats
import Testing

@testable import Supervision

/// Forms in which the jobs of public releases write their control files, other than the usual one.
@Suite struct ControlFileFormsTests {
  private func services(_ text: String) throws -> [ServiceDefinition] {
    try ControlFile.parse(text, file: "job.monitrc")
  }

  @Test(
    "reads programs as real jobs write them",
    arguments: [
      // Most of them; bpm with a process of its own; a longer start.
      ("start program \"/j/ctl start\"", ["/j/ctl", "start"], 30, nil, nil),
      ("start program \"/j/bpm start web -p worker_1\"", ["/j/bpm", "start", "web", "-p", "worker_1"], 30, nil, nil),
      ("start program \"/j/ctl start\" with timeout 120 seconds", ["/j/ctl", "start"], 120, nil, nil),
      ("start program = \"/j/ctl start\"", ["/j/ctl", "start"], 30, nil, nil),
      ("start program \"/j/ctl start\"\n    with timeout 60 seconds", ["/j/ctl", "start"], 60, nil, nil),
      // Without quotes, there are no arguments.
      ("start program /j/start", ["/j/start"], 30, nil, nil),
      // User and group before the time, on a line of their own, without 'with'.
      (
        "start program \"/j/ctl start\"\n    as uid vcap and gid vcap timeout 60 seconds", ["/j/ctl", "start"], 60,
        "vcap",
        "vcap"
      ),
      ("start program \"/j/ctl start\" as uid vcap and gid vcap", ["/j/ctl", "start"], 30, "vcap", "vcap"),
      ("\tstart program  \"/j/ctl  start \"", ["/j/ctl", "start"], 30, nil, nil),
    ] as [(String, [String], Int, String?, String?)])
  func programs(_ text: String, _ arguments: [String], _ seconds: Int, _ user: String?, _ group: String?) throws {
    for end in ["\n", "\r\n"] {
      let lines = "check process web\n  with pidfile /r/web.pid\n  \(text)\n  group vcap\n"
      let service = try #require(services(lines.replacing("\n", with: end)).first)
      #expect(
        service.start == ServiceProgram(arguments, timeout: .seconds(seconds), user: user, group: group)
          && service.isManaged)
    }
  }

  @Test(
    "reads tests as real jobs write them",
    arguments: [
      (
        "if failed\n     host 127.0.0.1\n     port 111\n     for 3 cycles\n  then restart",
        .connection(.init(target: .tcp(host: "127.0.0.1", port: 111))), 3, .restart
      ),
      (
        "if failed host 10.0.0.5 port 4222 type tcp then alert",
        .connection(.init(target: .tcp(host: "10.0.0.5", port: 4222))), 1, .alert
      ),
      (
        "if failed port 8844 protocol http\n    and request '/info'\n    with timeout 60 seconds for 5 cycles\n  then restart",
        .connection(
          .init(
            target: .tcp(host: "localhost", port: 8844), http: .init(path: "/info"), timeout: .seconds(60))), 5,
        .restart
      ),
      (
        "if failed unixsocket /r/web.sock with timeout 5 seconds for 5 cycles then restart",
        .connection(.init(target: .unixSocket(path: "/r/web.sock"))), 5, .restart
      ),
      (
        "if failed host 127.0.0.1 port 9200\n    send \"GET /health HTTP/1.1\\r\\n\\r\\n\\\"\n    expect \"HTTP/[0-9\\.]{3} 200\"\n"
          + "    timeout 30 seconds\n    for 10 cycles then stop",
        .connection(
          .init(
            target: .tcp(host: "127.0.0.1", port: 9200),
            conversation: [
              .send(Array("GET /health HTTP/1.1\r\n\r\n\\".utf8)), .expect(pattern: "HTTP/[0-9\\.]{3} 200"),
            ], timeout: .seconds(30))), 10, .stop
      ),
      (
        "if totalmem > 2048 Mb for 3 cycles then restart", .resource(.totalMemory, .greater, 2048 * 1_048_576, .bytes),
        3, .restart
      ),
      ("if totalmem > 90 % 15 cycles then restart", .resource(.totalMemory, .greater, 90, .percent), 15, .restart),
      (
        "if 1 restarts within 1 cycles then exec \"/p/bin/tell web /r/count\"", .restarts, 1,
        .exec(ServiceProgram(["/p/bin/tell", "web", "/r/count"]))
      ),
      ("if 5 restarts within 5 cycles then timeout", .restarts, 5, .unmonitor),
    ] as [(String, ServiceTest.Condition, Int, ServiceTest.Action)])
  func tests(_ text: String, _ condition: ServiceTest.Condition, _ cycles: Int, _ action: ServiceTest.Action) throws {
    let service = try #require(services("check process web with pidfile /r/web.pid\n  \(text)\n  group vcap").first)
    let test = try #require(service.tests.first)
    #expect(test.condition == condition && test.window.cycles == cycles && test.action == action)
    #expect(service.groups == ["vcap"])
  }

  @Test("reads the kinds of services that real jobs have, several in a file")
  func kinds() throws {
    let services = try services(
      """

      # Comments, empty lines,
      check process statd matching rpc.statd
        start program "/j/statd start"
        stop program "/j/statd stop"
        group vcap
      check file certificates with path /r/certificates.pem
        start program "/j/fetch start"
        stop program "/j/fetch stop"
        if changed timestamp then exec "/j/reload"
        group vcap
      check device store with path /var/vcap/store
        if SPACE usage > 90% then alert
        group vcap
      check host balancer address 10.0.0.5
        depends on proxy
        if failed host 10.0.0.5 port 80 protocol http then alert
        group vcap
      check process proxy
      with pidfile /r/proxy.pid
      start program "/j/proxy start"
      stop program "/j/proxy stop"
      depends on statd
      group vcap
      """)
    #expect(
      services.map(\.kind) == [
        .processMatching(pattern: "rpc.statd"), .file(path: "/r/certificates.pem"), .device(path: "/var/vcap/store"),
        .host(address: "10.0.0.5"), .process(pidfile: "/r/proxy.pid"),
      ])
    #expect(services.map(\.tests.count) == [0, 1, 1, 1, 0])
    #expect(services.map(\.dependencies) == [[], [], [], ["proxy"], ["statd"]])
    #expect(services.filter { !$0.isManaged } == [])
  }

  @Test(
    "reads escapes in what is sent and expected",
    arguments: [
      ("PING\\r\\n", [80, 73, 78, 71, 13, 10]), ("a\\0x00\\0xfFb", [97, 0, 255, 98]),
      ("[0-9\\.]\\d", Array("[0-9\\.]\\d".utf8)),
      ("\\\\n", [92, 110]), ("\\", [92]), ("\\0x", Array("\\0x".utf8)), ("\\0xzz", Array("\\0xzz".utf8)), ("", []),
    ] as [(String, [UInt8])])
  func escapes(_ text: String, _ bytes: [UInt8]) {
    #expect(ControlFileEscapes.bytes(text) == bytes)
  }
}
