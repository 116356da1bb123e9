import Formats
import Processes
import Testing

/// Scripts and requests that are not as they should be, on an instance that runs.
struct ErrandMisbehaviour: Sendable {
  let server: ServerUnderTest

  private func errand(_ arguments: [String], flags: [String] = []) async throws -> CommandResult {
    let command =
      ["\(server.programs)/drover", "run-errand", "lines", "-d", "survival", "--instance", "counter/0"] + flags
    return try await server.command(command + ["--"] + arguments).result()
  }

  func run() async throws {
    try await endings()
    try await limit()
    try await programs()
    try await refusals()
  }

  private func endings() async throws {
    let closed = try await errand(["closed"])
    #expect(closed.ending == .exited(4) && closed.text == "before\n", "\(closed.lastErrorLines())")
    let clock = ContinuousClock()
    var forked: CommandResult?
    _ = try await clock.measure { forked = try await errand(["forked"]) }
    // The child that holds the output is not waited for, and what it prints afterwards is nobody's.
    #expect(forked?.ending == .exited(5) && forked?.text == "parent\n", "\(forked?.lastErrorLines() ?? "")")
    // SIGTERM, and SIGKILL ten seconds later.
    let deaf = try await errand(["deaf"], flags: ["--timeout", "1s", "--json"])
    #expect(deaf.ending == .exited(124), "\(deaf.lastErrorLines())")
    let outcome = try JSON.parse(deaf.output)["outcomes"]?.array?.first
    // Whatever it ends with itself.
    #expect(outcome?["exit_code"]?.int == 124 && outcome?["failure"] == "timeout", "\(outcome ?? .null)")
    #expect(outcome?["stdout"]?.string == "deaf\nheard\n", "\(outcome ?? .null)")
  }

  /// A script that prints far more than is kept: head and tail arrive, and neither disk has the rest.
  private func limit() async throws {
    let size = 300 << 20
    let much = try await errand(["much", "\(size)"], flags: ["--output-limit", "1M"])
    #expect(much.succeeded, "\(much.lastErrorLines())")
    // The head, and a quarter as much of the end.
    #expect(much.output.count == (1 << 20) + (1 << 18))
    #expect(much.text.hasPrefix("first\n\0") && much.text.hasSuffix("\0\nlast\n"))
    let notice = "[stdout: 298.8 MiB from byte 1048576 on are left out: the output is longer than its limit]"
    #expect(String(decoding: much.errors, as: UTF8.self).contains(notice), "\(much.lastErrorLines())")
    let runs = try await server.drover(
      "ssh", "-d", "survival", "counter/0", "-c", "sudo du -sm /var/vcap/bosh/runs /var/vcap/data | cut -f 1")
    let megabytes = runs.text.split(separator: "\n").compactMap { Int($0) }
    #expect(megabytes.reduce(0, +) < 100, "\(runs.text) \(runs.lastErrorLines())")
  }

  /// A script that is no program, or is not there any more.
  private func programs() async throws {
    let script = "/var/vcap/jobs/lines/bin/run"
    for (change, code, failure, undo) in [
      ("chmod a-x \(script)", 126, "script not executable", "chmod a+x \(script)"),
      ("mv \(script) \(script).away", 127, "script not found", "mv \(script).away \(script)"),
    ] {
      try await server.succeed("ssh", "-d", "survival", "counter/0", "-c", "sudo \(change)")
      let run = try await errand(["count"], flags: ["--json"])
      try await server.succeed("ssh", "-d", "survival", "counter/0", "-c", "sudo \(undo)")
      #expect(run.ending == .exited(code), "\(run.text) \(run.lastErrorLines())")
      let outcome = try JSON.parse(run.output)["outcomes"]?.array?.first
      #expect(outcome?["failure"]?.string == failure && outcome?["exit_code"]?.int == code, "\(outcome ?? .null)")
    }
    let works = try await errand(["count", "a"])
    #expect(works.succeeded, "\(works.lastErrorLines())")
  }

  private func refusals() async throws {
    // One argument may have 128 KiB in Linux, less its end.
    let long = try await errand(["count", String(repeating: "x", count: 131_071)])
    #expect(long.succeeded && long.text == "2 131071\n", "\(long.lastErrorLines())")
    for (flags, text) in [
      (["--instance", "counter/7"], "No instances match selection criteria"),
      (["--output-limit", "12"], "expected at least 1K"), (["--instances", "5"], "can't run on 5 instances"),
    ] {
      let refused = try await server.command(
        ["\(server.programs)/drover", "run-errand", "lines", "-d", "survival"] + flags
      ).result()
      #expect(refused.ending == .exited(125), "\(refused.text)")
      #expect(refused.lastErrorLines().contains(text), "\(refused.lastErrorLines())")
    }
  }
}
