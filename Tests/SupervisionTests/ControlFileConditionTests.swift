import Formats
import Testing

@testable import Supervision

@Suite struct ControlFileConditionTests {
  private func test(_ check: String, _ text: String) throws -> ServiceTest {
    let services = try ControlFile.parse("check \(check)\n\(text)", file: "job.monitrc")
    return try #require(services.first?.tests.first)
  }

  private static let processTests: [(String, ServiceTest.Condition, Int, Int, ServiceTest.Action)] = [
    (
      "if totalmem > 80 % for 3 cycles then alert", .resource(.totalMemory, .greater, 80, .percent), 3, 3, .alert
    ),
    (
      "if totalmem greater than 512 Mb then exec \"/bin/kill x\"",
      .resource(.totalMemory, .greater, 536_870_912, .bytes), 1, 1, .exec(ServiceProgram(["/bin/kill", "x"]))
    ),
    // Releases leave the noise word out, or the comparison's blanks.
    ("if totalmem > 90% 15 cycles then restart", .resource(.totalMemory, .greater, 90, .percent), 15, 15, .restart),
    ("if totalmem>500 then restart", .resource(.totalMemory, .greater, 500, .bytes), 1, 1, .restart),
    ("if cpu usage > 95% for 5 cycles then alert", .resource(.cpu, .greater, 95, .percent), 5, 5, .alert),
    ("if total cpu > 5% then alert", .resource(.cpu, .greater, 5, .percent), 1, 1, .alert),
    ("if totalcpu gt 60% then alert", .resource(.totalCPU, .greater, 60, .percent), 1, 1, .alert),
    ("if mem usage > 10 % then alert", .resource(.memory, .greater, 10, .percent), 1, 1, .alert),
    ("if children > 255 for 5 cycles then stop", .resource(.children, .greater, 255, .none), 5, 5, .stop),
    ("if loadavg(5min) greater than 10 for 8 cycles then stop", .resource(.load5, .greater, 10, .none), 8, 8, .stop),
    ("if loadavg (15min) > 2.5 then alert", .resource(.load15, .greater, 2.5, .none), 1, 1, .alert),
    ("if 4 restarts within 5 cycles then timeout", .restarts, 4, 5, .unmonitor),
    (
      "if 1 restart within 2 cycles then exec \"/bin/x -y\"", .restarts, 1, 2, .exec(ServiceProgram(["/bin/x", "-y"]))
    ),
    (
      "if failed unixsocket /run/x.sock with timeout 5 seconds for 2 times within 4 cycles then restart",
      .connection(.init(target: .unixSocket(path: "/run/x.sock"))), 2, 4, .restart
    ),
    (
      "if failed host 127.0.0.1 port 80 protocol HTTP request \"/health\" with timeout 10 seconds for 6 cycles then restart",
      .connection(
        .init(
          target: .tcp(host: "127.0.0.1", port: 80), http: .init(path: "/health"), timeout: .seconds(10))), 6, 6,
      .restart
    ),
    (
      "if failed port 80 protocol http and request \"/\" hostheader \"a.b\" then alert",
      .connection(
        .init(target: .tcp(host: "localhost", port: 80), http: .init(path: "/", hostHeader: "a.b"))), 1, 1, .alert
    ),
    (
      "if failed port 22 type tcp then alert", .connection(.init(target: .tcp(host: "localhost", port: 22))), 1, 1,
      .alert
    ),
    (
      "if failed host a port 53 type udp then alert", .connection(.init(target: .udp(host: "a", port: 53))), 1, 1,
      .alert
    ),
    (
      "if failed port 1 then exec \"/x 'a b'\" as uid vcap and gid 7",
      .connection(.init(target: .tcp(host: "localhost", port: 1))), 1, 1,
      .exec(ServiceProgram(["/x", "a b"], user: "vcap", group: "7"))
    ),
  ]

  @Test("reads the tests of processes", arguments: processTests)
  func processes(
    _ text: String, _ condition: ServiceTest.Condition, _ count: Int, _ cycles: Int, _ action: ServiceTest.Action
  ) throws {
    let text = text.replacing("total cpu", with: "cpu")
    let test = try test("process x with pidfile /p", text)
    #expect(test.condition == condition && test.action == action)
    #expect(test.window == ServiceTest.Window(count: count, cycles: cycles))
    #expect(test.line == 2)
  }

  @Test(
    "reads the tests of files, filesystems, hosts and the machine",
    arguments: [
      ("file x path /p", "if changed timestamp then alert", .changed(.timestamp)),
      ("file x path /p", "if changed checksum then alert", .changed(.checksum)),
      ("file x path /p", "if changed size then alert", .changed(.size)),
      ("file x path /p", "if timestamp > 15 minutes then alert", .resource(.age, .greater, 900, .none)),
      ("directory x path /p", "if timestamp older than 2 days then alert", .resource(.age, .greater, 172_800, .none)),
      ("file x path /p", "if size > 1 GB then alert", .resource(.size, .greater, 1_073_741_824, .bytes)),
      ("file x path /p", "if failed permission 0640 then alert", .permission(0o640)),
      ("file x path /p", "if failed uid root then alert", .user("root")),
      ("directory x path /p", "if failed gid 7 then alert", .group("7")),
      (
        "file x path /p",
        "if failed sha1 checksum and expect the sum DA39A3EE5E6B4B0D3255BFEF95601890AFD80709 then alert",
        .checksum(expected: "da39a3ee5e6b4b0d3255bfef95601890afd80709")
      ),
      ("device x path /p", "if SPACE usage > 80% then alert", .resource(.space, .greater, 80, .percent)),
      ("filesystem x path /p", "if space > 5 gb then alert", .resource(.space, .greater, 5_368_709_120, .bytes)),
      ("device x path /p", "if inode usage > 30000 then alert", .resource(.inodes, .greater, 30000, .none)),
      (
        "host x address a", "if failed port 80 then alert",
        .connection(.init(target: .tcp(host: "a", port: 80)))
      ),
      ("system x", "if cpu usage (user) > 70% then alert", .resource(.userCPU, .greater, 70, .percent)),
      ("system x", "if cpu(wait) > 20% then alert", .resource(.waitCPU, .greater, 20, .percent)),
      ("system x", "if memory usage > 75% then alert", .resource(.memory, .greater, 75, .percent)),
      ("system x", "if swap usage > 25% then alert", .resource(.swap, .greater, 25, .percent)),
    ] as [(String, String, ServiceTest.Condition)])
  func others(_ check: String, _ text: String, _ condition: ServiceTest.Condition) throws {
    let test = try test(check, text.replacing("older than", with: ">"))
    #expect(test.condition == condition)
  }

  @Test("reads what is done when it holds no longer")
  func recovery() throws {
    let test = try test(
      "process x pidfile /p",
      "if failed port 80 for 3 cycles then restart else if recovered for 2 cycles then exec \"/x\"")
    #expect(test.recovery == .exec(ServiceProgram(["/x"])) && test.recoveryWindow == .init(count: 2, cycles: 2))
    #expect(test.action == .restart && test.window == .init(count: 3, cycles: 3))
    let plain = try self.test("process x pidfile /p", "if failed port 80 then alert else if succeeded then alert")
    #expect(plain.recovery == .alert && plain.recoveryWindow == .init())
  }
}
