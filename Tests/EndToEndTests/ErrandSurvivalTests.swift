import Files
import Formats
import Glibc
import Processes
import Testing

/// What an errand survives, with everything real: during scripts that print numbered lines, the server, the agent and
/// nats-server are killed, the network is cut for a minute, and who called is gone.
@Suite(.enabled(if: getuid() == 0, "needs root: it makes containers, bridges and mounts"), .serialized)
struct ErrandSurvivalTests {
  /// Ten lines a second: past the end of the cut.
  private static let lines = 750

  @Test("Server, agent and NATS killed, network cut for a minute, caller gone: each script runs once, to its end")
  func survives() async throws {
    try await ServerUnderTest.with(place: 3) { server in
      try await prepare(server)
      let run = try await server.drover(
        "run-errand", "survivors", "-d", "survival", "--instances", "3", "--detach", "--", "lines", "\(Self.lines)")
      let task = run.text.split(separator: "\n").joined()
      try #require(Int(task) != nil, "\(run.text) \(run.lastErrorLines())")
      let gone = Task { try await server.drover("attach", task) }
      try await printing(server, task)
      async let cut: Void = cutNetwork(server, 0, seconds: 60)
      try await killAgent(server, 1)
      gone.cancel()
      _ = try? await gone.value
      try await killNATS(server)
      for _ in 0..<2 {
        try await Task.sleep(for: .seconds(5))
        _ = try server.process().signal(SIGKILL)
        let up = try await server.drover("up")
        try #require(up.succeeded, "\(up.lastErrorLines(20))")
      }
      // Meanwhile, on an instance that runs.
      try await ErrandMisbehaviour(server: server).run()
      try await cut
      let end = try await server.drover("attach", task)
      #expect(end.ending == .exited(7), "\(end.lastErrorLines(30))")
      try check(end)
      try await checkReleased(server, task)
    }
  }

  private func prepare(_ server: ServerUnderTest) async throws {
    let stemcell = try await server.drover("build-stemcell")
    try #require(stemcell.succeeded, "\(stemcell.lastErrorLines())")
    let up = try await server.command(["\(server.programs)/drover", "up"] + server.upFlags).result()
    try #require(up.succeeded, "\(up.lastErrorLines())")
    // Making a release writes into its folder.
    _ = try await Command("cp", "-r", "\(ServerUnderTest.root)/Tests/Fixtures/chaos-release", server.folder).run()
    let tarball = "\(server.folder)/chaos.tgz"
    try await server.succeed(
      "create-release", "--dir", "\(server.folder)/chaos-release", "--force", "--version", "1", "--tarball", tarball)
    try await server.succeed("upload-stemcell", stemcell.text.split(separator: "\n").last.map(String.init) ?? "")
    try await server.succeed("upload-release", tarball)
    try await server.succeed("update-cloud-config", "-n", "\(server.folder)/cloud-config.yml")
    let path = "\(server.folder)/survival.yml"
    try Files.replace(path, with: Array(Self.manifest.utf8))
    try await server.succeed("deploy", "-n", path)
  }

  private static let manifest = """
    name: survival
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
      - {name: counter, release: chaos, properties: {token: one}}
      - {name: lines, release: chaos}
    - name: survivors
      lifecycle: errand
      azs: [z1]
      instances: 3
      vm_type: default
      stemcell: default
      networks: [{name: default}]
      jobs:
      - {name: lines, release: chaos}
    """

  /// Waits until all three scripts have printed something.
  private func printing(_ server: ServerUnderTest, _ task: String) async throws {
    for _ in 0..<600 {
      let journal = Files.textIfPresent("\(server.state)/journals/tasks/\(task)/errand") ?? ""
      let names = try journal.split(separator: "\n").dropFirst().dropLast().map {
        try JSON.parse(Array($0.utf8))["instance"]?.string
      }
      if Set(names).count == 3 { return }
      try await Task.sleep(for: .milliseconds(200))
    }
    throw DroverError(.timeout, "waiting two minutes for the scripts to begin")
  }

  /// The record of the VM of one of the errand's instances.
  private func vm(_ server: ServerUnderTest, _ index: Int) async throws -> Value {
    for name in try Files.names(in: "\(server.state)/cloud/vms") {
      let record = try JSON.parse(Files.read("\(server.state)/cloud/vms/\(name)/vm.json"))
      let metadata = try JSON.parse(record["metadata"]?.string ?? "{}")
      if metadata["job"]?.string == "survivors", metadata["index"]?.scalarText == "\(index)" { return record }
    }
    throw DroverError(.notFound, "looking for the VM of survivors/\(index)")
  }

  private func cutNetwork(_ server: ServerUnderTest, _ index: Int, seconds: Int) async throws {
    let interface = try #require(try await vm(server, index)["networks"]?.array?.first?["hostInterface"]?.string)
    _ = try await Command("ip", "link", "set", interface, "down").run()
    try? await Task.sleep(for: .seconds(seconds))
    _ = try await Command("ip", "link", "set", interface, "up").run()
  }

  private func killAgent(_ server: ServerUnderTest, _ index: Int) async throws {
    let pid = try #require(try await vm(server, index)["process"]?["pid"]?.int)
    // By its name, in the VM's own namespace of processes.
    let script =
      "for p in /proc/[0-9]*; do [ \"$(cat $p/comm)\" = drover-agent ] && ! grep -q runner $p/cmdline "
      + "&& kill -9 ${p#/proc/}; done; true"
    _ = try await Command("nsenter", "-t", "\(pid)", "-m", "-p", "bash", "-c", script).run()
  }

  private func killNATS(_ server: ServerUnderTest) async throws {
    for pid in try Files.names(in: "/proc").compactMap({ Int($0) }) {
      let arguments = (Files.textIfPresent("/proc/\(pid)/cmdline") ?? "").split(separator: "\0")
      guard arguments.first?.hasSuffix("nats-server") == true, arguments.contains(where: { $0.hasPrefix(server.state) })
      else { continue }
      kill(pid_t(pid), SIGKILL)
    }
  }

  /// Every line of every instance is there, once and in order, and all of one instance are of one process.
  private func check(_ end: CommandResult) throws {
    var numbers: [String: [Int]] = [:]
    var processes: [String: Set<Substring>] = [:]
    for line in end.text.split(separator: "\n") {
      let parts = line.split(separator: "|", maxSplits: 1)
      let words = parts.last?.split(separator: " ") ?? []
      guard parts.count == 2, words.count == 3, let number = Int(words[0]) else {
        Issue.record("a line that no script has printed: \(line)")
        continue
      }
      numbers[String(words[2]), default: []].append(number)
      processes[String(words[2]), default: []].insert(words[1])
    }
    #expect(Set(numbers.keys) == ["0/3", "1/3", "2/3"])
    for (instance, numbers) in numbers { #expect(numbers == Array(1...Self.lines), "\(instance)") }
    #expect(processes.values.allSatisfy { $0.count == 1 }, "\(processes)")
    let errors = String(decoding: end.errors, as: UTF8.self).split(separator: "\n").filter { $0.contains("| error ") }
    #expect(errors.count == 3 * (Self.lines / 10))
  }

  private func checkReleased(_ server: ServerUnderTest, _ task: String) async throws {
    let rows = try JSON.parse(try await server.drover("vms", "-d", "survival", "--json").output)
    #expect(rows.array?.count == 1, "\(rows)")
    #expect(try Files.names(in: "\(server.state)/cloud/vms").count == 1)
    let result = try await server.drover("task", task, "--result").text.split(separator: "\n")
    #expect(try result.map { try JSON.parse(Array($0.utf8))["exit_code"]?.int } == [7, 7, 7])
    let events = try await server.drover("task", task, "--event").text
    #expect(events.split(separator: "\n").count { $0.contains("Deleting errand VM") && $0.contains("finished") } == 3)
  }
}
