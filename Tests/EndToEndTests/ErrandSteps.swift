import Formats
import Processes
import Testing

/// Errands on the demo's deployment, as people and CI jobs run them.
struct ErrandSteps: Sendable {
  let server: ServerUnderTest

  func run() async throws {
    try await arguments()
    try await refusals()
    try await interruptions()
    try await queue()
    try await whenChanged()
    try await listing()
  }

  private func arguments() async throws {
    let failing = try await server.drover("run-errand", "smoke-tests", "-d", "redis", "--", "--fail", "3")
    #expect(failing.ending == .exited(3))
    let proposal = try await server.drover(
      "run", "errand", "smoke-tests", "-d", "redis", "two words", "", "$HOME", "-e", "SECRET=x", "--keep-alive")
    #expect(proposal.succeeded, "\(proposal.lastErrorLines(20))")
    for argument in ["two words", "", "$HOME"] {
      #expect(proposal.text.contains("argument: \(argument)\n"), "\(proposal.text)")
    }
    // The VM was kept: the next run is on it, and takes it away.
    let next = try await server.drover("run-errand", "smoke-tests", "-d", "redis", "--timeout", "1s", "--json")
    #expect(next.ending == .exited(124), "\(next.lastErrorLines(20))")
    let outcome = try JSON.parse(next.output)["outcomes"]?.array?.first
    #expect(outcome?["failure"]?.string == "timeout")
  }

  private func refusals() async throws {
    let unknown = try await server.drover("run-errand", "smoke-test", "-d", "redis")
    #expect(unknown.ending == .exited(125))
    #expect(unknown.lastErrorLines().contains("did you mean 'smoke-tests'?"), "\(unknown.lastErrorLines())")
  }

  /// Runs the errand, and interrupts the command after its first line, so often.
  private func interrupted(_ mode: String, times: Int) async throws -> CommandResult {
    let script = """
      env --default-signal=INT,TERM "$@" > "$OUT" 2> "$OUT.err" &
      pid=$!
      for _ in $(seq 600); do [ -s "$OUT" ] && break; sleep 0.1; done
      for _ in $(seq $TIMES); do kill -INT $pid; sleep 0.5; done
      wait $pid
      code=$?
      cat "$OUT"; cat "$OUT.err" >&2
      exit $code
      """
    var command = server.command(
      ["bash", "-c", script, "bash", "\(server.programs)/drover", "run-errand", "smoke-tests", "-d", "redis"]
        + ["--on-interrupt", mode])
    command.environment?["OUT"] = "\(server.folder)/interrupted"
    command.environment?["TIMES"] = "\(times)"
    return try await command.result()
  }

  private func interruptions() async throws {
    let cancelled = try await interrupted("cancel", times: 1)
    #expect(cancelled.ending == .exited(143), "\(cancelled.lastErrorLines(20))")
    let twice = try await interrupted("ask", times: 2)
    #expect(twice.ending == .exited(143), "\(twice.lastErrorLines(20))")
    // With "ask", Ctrl-C once detaches after a moment in which the errand may end.
    let detached = try await interrupted("detach", times: 1)
    #expect(detached.ending == .exited(130), "\(detached.lastErrorLines(20))")
    #expect(detached.lastErrorLines().contains("drover attach "))
    let task = try await lastTask()
    async let whole = server.drover("attach", task)
    async let again = server.drover("attach", task, "--from-start")
    let rest = try await server.drover("attach", task, "--from-now")
    let all = try await (whole, again)
    #expect(all.0.succeeded && all.1.succeeded && rest.succeeded, "\(rest.lastErrorLines(20))")
    #expect(all.0.text == all.1.text)
    #expect(all.0.text.hasSuffix(rest.text))
    #expect(all.0.text.count > rest.text.count)
  }

  private func lastTask() async throws -> String {
    let runs = try await server.drover("errand-runs", "-d", "redis", "--limit", "1", "--json")
    return String(try #require(try JSON.parse(runs.output).array?.first?["task"]?.int))
  }

  private func queue() async throws {
    let first = try await server.drover("run-errand", "smoke-tests", "-d", "redis", "--detach")
    let refused = try await server.drover("run-errand", "smoke-tests", "-d", "redis")
    #expect(refused.ending == .exited(125))
    #expect(refused.lastErrorLines().contains("already running as task"))
    let second = try await server.drover("run-errand", "smoke-tests", "-d", "redis", "--queue")
    #expect(second.succeeded, "\(second.lastErrorLines(20))")
    let ended = try await server.drover("attach", first.text.split(separator: "\n").joined())
    #expect(ended.succeeded, "\(ended.lastErrorLines(20))")
  }

  private func whenChanged() async throws {
    let skipped = try await server.drover("run-errand", "smoke-tests", "-d", "redis", "--when-changed")
    #expect(skipped.succeeded)
    #expect(skipped.text.isEmpty)
    #expect(skipped.lastErrorLines().contains("skipped - no changes detected"))
  }

  private func listing() async throws {
    let runs = try JSON.parse(try await server.drover("errand-runs", "smoke-tests", "--json").output).array ?? []
    #expect(runs.count >= 9)
    #expect(runs.contains { $0["exit_code"]?.int == 3 && $0["arguments"] == ["--fail", "3"] })
    #expect(runs.contains { $0["state"]?.string == "cancelled" && $0["exit_code"]?.int == 143 })
    let table = try await server.drover("errand-runs", "-d", "redis")
    #expect(table.text.contains("--fail 3"), "\(table.text)")
  }
}
