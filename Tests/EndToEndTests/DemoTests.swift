import Files
import Formats
import Glibc
import Processes
import Testing

/// The whole path with everything real: stemcell, server, release, deploy, errand; and what happens to it when the server
/// is killed, stopped and started again.
@Suite(
  .enabled(if: getuid() == 0, "needs root: it makes containers, bridges and mounts"), .serialized)
struct DemoTests {
  @Test("From nothing to a running deployment and a finished errand, through kill -9, down and up, to nothing")
  func wholePath() async throws {
    try await ServerUnderTest.with(place: 0) { server in
      try await demo(server)
      // What is looked for at the end is really there now.
      #expect(Set(try await Trace.find(server).map(\.kind)) == Trace.expected)
      try await identicalDeploy(server)
      try await variables(server)
      try await ErrandSteps(server: server).run()
      try await AccessSteps(server: server).run()
      try await ScheduleSteps(server: server).run()
      try await killedServer(server)
      try await downAndUp(server)
    }
  }

  private func demo(_ server: ServerUnderTest) async throws {
    let result = try await server.command(["\(ServerUnderTest.root)/scripts/demo", server.programs]).result()
    try #require(result.succeeded, "\(result.text)\n\(result.lastErrorLines(40))")
    #expect(result.text.contains("running"))
    #expect(String(decoding: result.errors, as: UTF8.self).contains("exit code 0"))
  }

  private func identicalDeploy(_ server: ServerUnderTest) async throws {
    let result = try await server.drover("deploy", "-n", "examples/manifests/redis.yml")
    try #require(result.succeeded, "\(result.lastErrorLines(20))")
    let events = String(decoding: result.errors, as: UTF8.self)
    #expect(!events.contains("Updating instance"))
    #expect(!events.contains("Compiling packages"))
  }

  /// The manifest's password was made by the server; a new one goes to redis and to who asks it, and is in no log.
  private func variables(_ server: ServerUnderTest) async throws {
    let first = try await server.drover("variable", "redis-password", "-d", "redis").text.split(separator: "\n")
      .joined()
    #expect(first.count == 30)
    #expect(try await server.drover("rotate-variable", "redis-password", "-d", "redis").succeeded)
    let deploy = try await server.drover("deploy", "-n", "examples/manifests/redis.yml")
    try #require(deploy.succeeded, "\(deploy.lastErrorLines(20))")
    let second = try await server.drover("variable", "redis-password", "-d", "redis").text.split(separator: "\n")
      .joined()
    #expect(second.count == 30 && second != first)
    let said = try await server.drover(
      "ssh", "-d", "redis", "redis/0", "-c", "sudo /var/vcap/packages/redis/bin/redis-cli -a \(second) ping")
    #expect(said.text.contains("PONG"), "\(said.text) \(said.lastErrorLines())")
    let manifest = try await server.drover("manifest", "-d", "redis").text
    #expect(manifest.contains("((redis-password))") && !manifest.contains(second))
    for name in ["droverd.log", "documents.sqlite", "documents.sqlite-wal"] {
      let bytes = try Files.bytes("\(server.state)/\(name)") ?? []
      #expect(!bytes.isEmpty || name.hasSuffix("-wal"), "\(name) is not there")
      for secret in [first, second] { #expect(bytes.firstRange(of: Array(secret.utf8)) == nil, "\(name)") }
    }
    guard let bosh = StockCommandLine(server, deployment: "redis") else { return }
    #expect(try await bosh.run("variables").text.contains("/redis/redis-password"))
  }

  private func killedServer(_ server: ServerUnderTest) async throws {
    let detached = try await server.drover("run-errand", "smoke-tests", "-d", "redis", "--detach")
    let task = detached.text.split(separator: "\n").joined()
    try #require(Int(task) != nil, "\(detached.text) \(detached.lastErrorLines())")
    for pause in [1, 1, 2] {
      try await Task.sleep(for: .seconds(pause))
      _ = try server.process().signal(SIGKILL)
      let up = try await server.drover("up")
      try #require(up.succeeded, "\(up.lastErrorLines(20))")
    }
    let attached = try await server.drover("attach", task)
    #expect(attached.ending == .exited(0), "\(attached.lastErrorLines(30))")
    let lines = attached.text.split(separator: "\n").map(String.init)
    #expect(!lines.isEmpty)
    #expect(Set(lines).count == lines.count, "a line came twice: \(lines)")
  }

  private func downAndUp(_ server: ServerUnderTest) async throws {
    let down = try await server.drover("down")
    try #require(down.succeeded, "\(down.lastErrorLines(20))")
    let up = try await server.drover("up")
    try #require(up.succeeded, "\(up.lastErrorLines(20))")
    for _ in 0..<60 {
      let instances = try await server.drover("instances", "-d", "redis", "--json")
      let rows = try JSON.parse(instances.output).array ?? []
      if rows.contains(where: { $0["process_state"] == "running" }) { return }
      try await Task.sleep(for: .milliseconds(500))
    }
    let last = try await server.drover("instances", "--ps")
    Issue.record("redis does not run again after down and up:\n\(last.text)")
  }
}
