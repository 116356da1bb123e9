import Files
import Formats
import Glibc
import Processes
import Testing

/// The guided example of leases: an errand tests in an account of a pool, which has another errand clean it afterwards.
@Suite(
  .enabled(if: getuid() == 0, "needs root: it makes containers, bridges and mounts"), .serialized)
struct LeaseDemoTests {
  @Test(
    "An errand leases an account of three, and the pool's errand cleans it once, also when the server is killed meanwhile"
  )
  func wholePath() async throws {
    try await ServerUnderTest.with(place: 5) { server in
      var script = command(server, ["\(ServerUnderTest.root)/scripts/demo-lease", server.programs])
      let resources = try server.manifest("accounts-resources")
      script.environment?["DROVER_POOLS_RESOURCES"] = resources
      let demo = try await script.result()
      try #require(demo.succeeded, "\(demo.text)\n\(demo.lastErrorLines(40))")
      #expect(demo.text.contains("account1 is clean\n"), "\(demo.text)")
      #expect(demo.text.contains("all 5 objects are there"), "\(demo.text)")
      #expect(demo.text.contains("removing account1/object-5"), "\(demo.text)")

      try await killed(server)
      let failing = try await drover(server, "run-errand", "e2e", "-d", "accounts", "--", "--fail", "3")
      #expect(failing.ending == .exited(3), "\(failing.lastErrorLines(20))")
      try await handedBack(server)
      try await killedCleaning(server)
      try await builds(server, resources)
    }
  }

  /// With other resources, while the server runs: a workspace is built in an account, and again when it was used.
  private func builds(_ server: ServerUnderTest, _ resources: String) async throws {
    try Files.replace(resources, with: try Files.read(try server.manifest("workspaces-resources")))
    for _ in 1...2 {
      let lease = try await drover(
        server, "lease", "workspace", "--wait", "5m", "--", "printenv", "DROVER_LEASE_DATA_ACCOUNT",
        "DROVER_LEASE_DATA_URL")
      #expect(lease.ending == .exited(0), "\(lease.lastErrorLines(20))")
      let lines = lease.text.split(separator: "\n")
      #expect(lines.count == 2 && lines[0].hasPrefix("account") && lines[1].hasSuffix("/\(lines[0])/workspace"))
    }
  }

  private func killed(_ server: ServerUnderTest) async throws {
    let detached = try await drover(server, "run-errand", "e2e", "-d", "accounts", "--detach", "--", "--objects", "20")
    let task = detached.text.split(separator: "\n").joined()
    try #require(Int(task) != nil, "\(detached.text) \(detached.lastErrorLines())")
    for pause in [1, 2] {
      try await Task.sleep(for: .seconds(pause))
      _ = try server.process().signal(SIGKILL)
      let up = try await drover(server, "up")
      try #require(up.succeeded, "\(up.lastErrorLines(20))")
    }
    let attached = try await drover(server, "attach", task)
    #expect(attached.ending == .exited(0), "\(attached.text)\n\(attached.lastErrorLines(30))")
    #expect(attached.text.contains("all 20 objects are there"))
    try await handedBack(server)
  }

  /// The server dies while an account is cleaned: the run that was begun is the only one, and it counts.
  private func killedCleaning(_ server: ServerUnderTest) async throws {
    let before = try await cleanings(server).count
    let test = try await drover(server, "run-errand", "e2e", "-d", "accounts", "--", "--objects", "20")
    #expect(test.ending == .exited(0), "\(test.lastErrorLines(20))")
    let deadline = ContinuousClock.now + .seconds(300)
    while try await cleanings(server).count == before, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(100))
    }
    for _ in 1...2 {
      _ = try server.process().signal(SIGKILL)
      let up = try await drover(server, "up")
      try #require(up.succeeded, "\(up.lastErrorLines(20))")
    }
    try await handedBack(server)
    let runs = try await cleanings(server)
    #expect(runs.count == before + 1, "\(runs)")
    #expect(runs.first?["state"]?.string == "done", "\(runs)")
  }

  /// Runs of the errand that cleans, the latest first.
  private func cleanings(_ server: ServerUnderTest) async throws -> [Value] {
    let runs = try await drover(server, "errand-runs", "clean-account", "-d", "accounts", "--json")
    return try JSON.parse(runs.output).array ?? []
  }

  /// Waits until all accounts are clean, and nothing is leased any more.
  private func handedBack(_ server: ServerUnderTest) async throws {
    let deadline = ContinuousClock.now + .seconds(300)
    while true {
      let pools = try await drover(server, "pools", "--json")
      let resources = try JSON.parse(pools.output).array ?? []
      #expect(resources.count == 3, "\(pools.text)")
      // A table has a dash for nobody.
      let areBack = resources.allSatisfy {
        $0["state"]?.string == "free" && ["", "-"].contains($0["owner"]?.string ?? "")
      }
      if areBack { return }
      try #require(ContinuousClock.now < deadline, "\(pools.text)")
      try await Task.sleep(for: .milliseconds(200))
    }
  }

  private func drover(_ server: ServerUnderTest, _ arguments: String...) async throws -> CommandResult {
    try await command(server, ["\(server.programs)/drover"] + arguments).result()
  }

  private func command(_ server: ServerUnderTest, _ arguments: [String]) -> Command {
    var command = server.command(arguments)
    let port = 27000 + server.subnet
    command.environment?["DROVER_POOLS_PORT"] = "\(port)"
    command.environment?["DROVER_POOLS_HEALTH_PORT"] = "\(port + 300)"
    command.environment?["DROVER_POOLS_METRICS_PORT"] = "\(port + 600)"
    command.environment?["DROVER_POOLS_URL"] = "http://127.0.0.1:\(port)"
    return command
  }
}
