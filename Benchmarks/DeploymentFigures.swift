import Formats
import Glibc
import Processes

/// Deploys and errands, by the commands that people type. A VM has 512 MB and 2 processors; the jobs' watch times begin
/// at once (`Benchmarks/manifest.yml`).
enum DeploymentFigures {
  static let manifest = "Benchmarks/manifest.yml"

  static func measure(_ server: BenchServer) async throws -> [Figure] {
    let first = try await Timing.once { try await deploy(server) }
    try await server.drover("delete-deployment", "-n", "-d", "redis")
    var deploys: [Double] = []
    var pongs: [Double] = []
    for round in 0..<5 {
      if round > 0 { try await server.drover("delete-deployment", "-n", "-d", "redis") }
      deploys.append(try await Timing.once { try await deploy(server) })
      pongs += try await firstPongs(server)
    }
    let again = try await Timing.of(10) { try await deploy(server) }
    let fresh = try await errand(server, "fresh-noop", runs: 5)
    let running = try await errand(server, "noop", "--instance", "redis/0", runs: 10)
    let two = Timing(seconds: deploys)
    let pong = Timing(seconds: pongs)
    return [
      Figure(name: "first deploy, redis compiled", value: first, unit: "s"),
      Figure(
        name: "VM asked for, to first pong", value: pong.median, unit: "s", bound: .atMost(0.7), note: pong.spread()),
      Figure(
        name: "deploy of two instances", value: two.median, unit: "s", bound: .atMost(4),
        note: "\(two.spread()); 1 canary, watch times from 1 ms, redis' own start included"),
      Figure(name: "identical deploy", value: again.median, unit: "s", bound: .atMost(0.5), note: again.spread()),
      Figure(
        name: "errand on a fresh VM, until its script runs", value: fresh.began.median, unit: "s", bound: .atMost(1.5),
        note: fresh.began.spread()),
      Figure(
        name: "errand on a fresh VM, until it has ended", value: fresh.ended.median, unit: "s", bound: .atMost(2),
        note: "\(fresh.ended.spread()); the VM is deleted before"),
      Figure(
        name: "errand on a running instance, until its script runs", value: running.began.median, unit: "s",
        bound: .atMost(0.2), note: running.began.spread()),
      Figure(
        name: "errand on a running instance, until it has ended", value: running.ended.median, unit: "s",
        bound: .atMost(0.3), note: running.ended.spread()),
    ]
  }

  private static func deploy(_ server: BenchServer) async throws {
    try await server.drover("deploy", "--non-interactive", manifest)
  }

  /// How long it took from each order for a VM to the first answer of its agent, by the debug output of the last deploy.
  private static func firstPongs(_ server: BenchServer) async throws -> [Double] {
    let tasks = try JSON.parse(try await server.drover("tasks", "--recent", "--json"))
    guard let task = tasks[0]?["id"]?.string else {
      throw DroverError(.failed, "reading the last task: 'drover tasks --json' names none")
    }
    return try DebugOutput(try await server.drover("task", task, "--debug")).times(
      from: "asking the cloud for its VM", to: "answered")
  }

  /// Runs an errand whose script prints when it began.
  private static func errand(
    _ server: BenchServer, _ arguments: String..., runs: Int
  ) async throws -> (began: Timing, ended: Timing) {
    var began: [Double] = []
    var ended: [Double] = []
    for _ in 0..<runs {
      let start = nanoseconds()
      let command = ["\(server.programs)/drover", "run-errand", "-d", "redis"] + arguments
      let output = try await server.command(command).run().text
      ended.append(Double(nanoseconds() - start) / 1e9)
      guard let line = output.split(separator: "\n").first(where: { $0.count >= 19 && $0.allSatisfy(\.isNumber) }),
        let time = Int(String(line))
      else { throw DroverError(.failed, "running the errand \(arguments[0]): it did not say when it began: \(output)") }
      began.append(Double(time - start) / 1e9)
    }
    return (Timing(seconds: began), Timing(seconds: ended))
  }

  private static func nanoseconds() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return Int(time.tv_sec) * 1_000_000_000 + Int(time.tv_nsec)
  }
}
