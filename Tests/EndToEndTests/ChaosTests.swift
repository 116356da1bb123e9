import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

/// The promise that a task outlives its server, tested by breaking it (design D7): droverd is killed with -9 at random
/// moments of deploys and errands, and started again. Every task is finished, and every script ran exactly once.
///
/// `DROVER_KILLS` says how many times; 12 by default.
@Suite(
  .enabled(if: getuid() == 0, "needs root: it makes containers, bridges and mounts"), .serialized)
struct ChaosTests {
  private static let kills = Int(Environment.current()["DROVER_KILLS"] ?? "") ?? 12

  @Test("Killed at any moment of deploys and errands, a server finishes all of them, and no script runs twice")
  func kills() async throws {
    let seed = UInt64(Int(Environment.current()["DROVER_SEED"] ?? "") ?? Int(getpid()))
    var random = SeededRandom(seed: seed)
    try await ServerUnderTest.with(place: 1) { server in
      try await prepare(server)
      var tokens: [String] = []
      for round in 1...max(1, Self.kills / 2) {
        let token = "t\(round)"
        try await deploy(server, token, &random)
        try await errand(server, token, &random)
        tokens.append(token)
      }
      try await check(server, tokens, seed)
    }
  }

  private func prepare(_ server: ServerUnderTest) async throws {
    let stemcell = try await server.drover("build-stemcell")
    try #require(stemcell.succeeded, "\(stemcell.lastErrorLines())")
    let up = try await server.command(["\(server.programs)/drover", "up"] + server.upFlags).result()
    try #require(up.succeeded, "\(up.lastErrorLines())")
    let tarball = "\(server.folder)/chaos.tgz"
    // Making a release writes into its folder.
    _ = try await Command("cp", "-r", "\(ServerUnderTest.root)/Tests/Fixtures/chaos-release", server.folder).run()
    for step in [
      [
        "create-release", "--dir", "\(server.folder)/chaos-release", "--force", "--version", "1", "--tarball", tarball,
      ],
      ["upload-stemcell", stemcell.text.split(separator: "\n").last.map(String.init) ?? ""],
      ["upload-release", tarball],
      ["update-cloud-config", "-n", "\(server.folder)/cloud-config.yml"],
    ] {
      let result = try await server.command(["\(server.programs)/drover"] + step).result()
      try #require(result.succeeded, "\(step): \(result.lastErrorLines(20))")
    }
  }

  private func manifest(_ token: String) -> String {
    """
    name: chaos
    releases: [{name: chaos, version: latest}]
    stemcells: [{alias: default, os: debian-bookworm, version: latest}]
    update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1-60000, update_watch_time: 1-60000}
    instance_groups:
    - name: counter
      azs: [z1]
      instances: 1
      vm_type: default
      stemcell: default
      persistent_disk: 16
      networks: [{name: default}]
      jobs:
      - {name: counter, release: chaos, properties: {token: \(token)}}
      - {name: tally, release: chaos}
    """
  }

  private func deploy(_ server: ServerUnderTest, _ token: String, _ random: inout SeededRandom) async throws {
    let path = "\(server.folder)/chaos-\(token).yml"
    try Files.replace(path, with: Array(manifest(token).utf8))
    try await killing(server, &random, longest: 2500) {
      let result = try await server.drover("deploy", "-n", path)
      // A request that a kill cut off before it was recorded is asked again, as people would.
      return result
    }
  }

  private func errand(_ server: ServerUnderTest, _ token: String, _ random: inout SeededRandom) async throws {
    try await killing(server, &random, longest: 1500) {
      try await server.drover("run-errand", "tally", "-d", "chaos", "--", token)
    }
  }

  /// Runs a command whose task is recorded before the server is killed for the first time.
  private func killing(
    _ server: ServerUnderTest, _ random: inout SeededRandom, longest: Int,
    _ command: @escaping @Sendable () async throws -> CommandResult
  ) async throws {
    let tasks = try await count(server)
    async let running = command()
    var tries = 0
    while try await count(server) == tasks, tries < 200 {
      try await Task.sleep(for: .milliseconds(10))
      tries += 1
    }
    try await Task.sleep(for: .milliseconds(Int.random(in: 0...longest, using: &random)))
    _ = try server.process().signal(SIGKILL)
    let up = try await server.drover("up")
    try #require(up.succeeded, "\(up.lastErrorLines(20))")
    let result = try await running
    try #require(result.succeeded, "\(result.lastErrorLines(30))")
  }

  private func count(_ server: ServerUnderTest) async throws -> Int {
    let result = try await server.drover("tasks", "--recent", "--json")
    return try JSON.parse(result.output)[0]?["id"]?.string.flatMap { Int($0) } ?? 0
  }

  /// The content of files of a name on the persistent disk, which only its VM sees.
  private func filesOnDisk(_ name: String, _ server: ServerUnderTest) async throws -> String {
    for vm in try Files.names(in: "\(server.state)/cloud/vms") {
      let record = try JSON.parse(Files.read("\(server.state)/cloud/vms/\(vm)/vm.json"))
      guard record["disks"]?.array?.isEmpty == false, let pid = record["process"]?["pid"]?.int else { continue }
      return try await Command(
        "nsenter", "-t", "\(pid)", "-m", "find", "/var/vcap/disks", "-name", name, "-type", "f", "-exec", "cat", "{}",
        "+"
      ).run().text
    }
    return ""
  }

  private func check(_ server: ServerUnderTest, _ tokens: [String], _ seed: UInt64) async throws {
    let written = try await filesOnDisk("runs", server)
    try #require(!written.isEmpty, "no script has written anything")
    let lines = written.split(separator: "\n").map(String.init)
    var counts: [String: Int] = [:]
    for line in lines { counts[line, default: 0] += 1 }
    for (index, token) in tokens.enumerated() {
      // The first deploy makes the instance; each later one stops what the one before has started.
      var expected = ["pre-start", "post-start", "post-deploy", "errand"]
      if index + 1 < tokens.count { expected += ["pre-stop", "drain", "post-stop"] }
      for script in expected {
        #expect(counts["\(script) \(token)"] == 1, "seed \(seed): \(script) \(token)")
      }
    }
    #expect(lines.count == 4 * tokens.count + 3 * (tokens.count - 1), "seed \(seed): \(lines)")
  }
}
