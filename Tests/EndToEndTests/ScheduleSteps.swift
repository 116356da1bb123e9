import Files
import Formats
import Processes
import Testing

/// Errands that the director runs by itself, on the demo's deployment.
struct ScheduleSteps: Sendable {
  let server: ServerUnderTest

  private static let errands = """

    errands:
    - {name: check, errand: smoke-tests, on: [post-deploy], required: true, arguments: [after, deploy]}
    - {name: every-minute, errand: smoke-tests, schedule: {cron: "* * * * *", keep_last: 2}}

    """

  func run() async throws {
    let path = try server.manifest("redis", changing: [("maxmemory: 64mb", "maxmemory: 65mb")])
    try Files.replace(path, with: try Files.read(path) + Array(Self.errands.utf8))
    let deploy = try await server.drover("deploy", "-n", path)
    try #require(deploy.succeeded, "\(deploy.lastErrorLines(30))")
    let events = String(decoding: deploy.errors, as: UTF8.self)
    #expect(events.contains("check runs as task "), "\(events)")
    let check = try #require(try await runs().first { $0["cause"]?["point"]?.string == "post-deploy" })
    #expect(check["exit_code"]?.int == 0 && check["arguments"] == ["after", "deploy"])

    try await schedule()

    // As it was, so that nothing runs beside what comes next.
    let back = try await server.drover("deploy", "-n", "examples/manifests/redis.yml")
    try #require(back.succeeded, "\(back.lastErrorLines(30))")
    let none = try await server.drover("schedules", "--json")
    #expect(try JSON.parse(none.output) == [])
  }

  private func schedule() async throws {
    // The next minute, and the time of a run: waiting is bounded, and what is looked for is not its length.
    var last: Value = .null
    for _ in 0..<300 where last["state"]?.string != "done" {
      try await Task.sleep(for: .seconds(1))
      last =
        try JSON.parse(try await server.drover("schedules", "-d", "redis", "--json").output)[0]?["last_run"] ?? .null
    }
    #expect(last["state"]?.string == "done" && last["exit_code"]?.int == 0, "\(last)")
    #expect(last["tick"]?.int.map { $0 % 60 } == 0)
    try await server.succeed("pause-schedule", "every-minute", "-d", "redis")
    let table = try await server.drover("schedules")
    #expect(table.text.contains("paused"), "\(table.text)")
    let now = try await server.drover("run-schedule", "every-minute", "-d", "redis")
    #expect(now.succeeded, "\(now.lastErrorLines(20))")
    #expect(now.text.contains("redis has 2 instance(s)"), "\(now.text)")
    let all = try await runs()
    #expect(all.contains { $0["cause"]?["text"]?.string == "schedule every-minute" })
    try await server.succeed("resume-schedule", "every-minute", "-d", "redis")
    try await server.succeed("pause-schedule", "every-minute", "-d", "redis")
  }

  private func runs() async throws -> [Value] {
    try JSON.parse(try await server.drover("errand-runs", "-d", "redis", "--json").output).array ?? []
  }
}
