import Formats
import Glibc
import Processes
import Testing

/// The guided example of leases: an errand tests in an account of a pool, and a janitor errand cleans it afterwards.
@Suite(
  .enabled(if: getuid() == 0, "needs root: it makes containers, bridges and mounts"), .serialized)
struct LeaseDemoTests {
  @Test(
    "An errand leases an account of three, and a janitor errand cleans it, also when the server is killed meanwhile")
  func wholePath() async throws {
    try await ServerUnderTest.with(place: 5) { server in
      let demo = try await command(server, ["\(ServerUnderTest.root)/scripts/demo-lease", server.programs]).result()
      try #require(demo.succeeded, "\(demo.text)\n\(demo.lastErrorLines(40))")
      #expect(demo.text.contains("account1 is clean\n"), "\(demo.text)")
      #expect(demo.text.contains("all 5 objects are there"), "\(demo.text)")
      #expect(demo.text.contains("removing account1/object-5"), "\(demo.text)")

      try await killed(server)
      let failing = try await drover(server, "run-errand", "e2e", "-d", "accounts", "--", "--fail", "3")
      #expect(failing.ending == .exited(3), "\(failing.lastErrorLines(20))")
      try await handedBack(server)
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

  /// Looks that nothing is leased any more.
  private func handedBack(_ server: ServerUnderTest) async throws {
    let pools = try await drover(server, "pools", "--json")
    let resources = try JSON.parse(pools.output).array ?? []
    #expect(resources.count == 3, "\(pools.text)")
    #expect(resources.allSatisfy { ["free", "dirty"].contains($0["state"]?.string) }, "\(pools.text)")
    // A table has a dash for nobody.
    #expect(resources.allSatisfy { ["", "-"].contains($0["owner"]?.string ?? "") }, "\(pools.text)")
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
