import AgentProtocol
import Files
import Formats
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Agent
@testable import Supervision

@Suite(.timeLimit(.minutes(10))) struct DrainTests {
  private static func states(_ test: TestAgent) throws -> [String: JobDrain] {
    try JobDrains(JSON.parse(Files.read("\(test.base)/instance/drain.json"))).jobs
  }

  private static func wait(_ test: TestAgent, _ job: String, _ timeout: Duration) async throws -> WaitDrained.Result {
    let options = try WaitDrainedOptions([job, "--timeout", "\(timeout.wholeMilliseconds)ms", "-b", test.base])
    return await WaitDrained(options: options, surroundings: .system).run()
  }

  @Test("states go from idle over draining to drained, and back when the jobs are started")
  func states() async throws {
    try await TestAgent.with { test in
      let hold = "\(test.folder)/hold"
      let drain = "#!/bin/bash\nwhile [ ! -e \(hold) ]; do sleep 0.05; done\necho 0\n"
      let release = TestRelease(jobs: [("slow", ["monit": "", "bin/drain": drain]), ("plain", ["monit": ""])])
      _ = try await test.call("apply", release.spec(for: test).value)
      _ = try await test.call("start")
      #expect(try Self.states(test).mapValues(\.state) == ["slow": .idle, "plain": .idle])

      let task = try await test.begin("drain", "shutdown", .null)
      try await waitFor(JobDrain.State.draining) { try Self.states(test)["slow"]?.state }
      try await waitFor(JobDrain.State.drained) { try Self.states(test)["plain"]?.state }
      #expect(try Self.states(test)["slow"]?.task == task)
      let late = try await Self.wait(test, "slow", .milliseconds(150))
      #expect(late.code == 124 && late.text.hasPrefix("job 'slow' has not drained within 0.1s: it is draining since 2"))
      async let waiting = Self.wait(test, "slow", .seconds(60))
      try Files.replace(hold, with: [])
      #expect(try await waiting == .init(code: 0, text: "job 'slow' has drained"))
      #expect(try await test.result(of: task) == 0)
      #expect(try Self.states(test)["slow"]?.state == .drained)

      _ = try await test.call("start")
      let again = try #require(try Self.states(test)["slow"])
      #expect(again.state == .idle && again.drainedAt != nil)
      let unknown = try await Self.wait(test, "none", .seconds(1))
      #expect(unknown == .init(code: 1, text: "no job 'none' on this VM; it has plain, slow"))
    }
  }

  @Test("a job's drain script may wait for the drain of another job")
  func scriptWaits() async throws {
    try await TestAgent.with { test in
      let first = "#!/bin/bash\nsleep 0.3\necho first >> \(test.folder)/order\necho 0\n"
      let second = """
        #!/bin/bash
        \(TestAgent.program) wait-drained first --timeout 30s -b \(test.base) 2> \(test.folder)/said || exit 1
        echo second >> \(test.folder)/order
        echo 0

        """
      let release = TestRelease(jobs: [
        ("first", ["monit": "", "bin/drain": first]), ("second", ["monit": "", "bin/drain": second]),
      ])
      _ = try await test.call("apply", release.spec(for: test).value)
      #expect(try await test.call("drain", "shutdown", .null) == 0)
      #expect(Files.textIfPresent("\(test.folder)/order") == "first\nsecond\n")
      #expect(Files.textIfPresent("\(test.folder)/said") == "drover-agent wait-drained: job 'first' has drained\n")
    }
  }

  @Test("a drain beyond the operator's limit is ended, and the error says so; the others are not concerned")
  func limit() async throws {
    try await TestAgent.with {
      $0["env"] = ["bosh": ["drain_timeout": "10s"]]
    } _: { test in
      let release = TestRelease(jobs: [
        ("stuck", ["monit": "", "bin/drain": "#!/bin/bash\necho $$ > \(test.folder)/pid\nexec sleep 1000\n"]),
        ("asking", ["monit": "", "bin/drain": "#!/bin/bash\necho -1\n"]),
        ("good", ["monit": "", "bin/drain": "#!/bin/bash\necho 0\n"]),
      ])
      _ = try await test.call("apply", release.spec(for: test).value)
      let task = try await test.begin("drain", "shutdown", .null)
      let error = try await #require(throws: DroverError.self) { try await test.result(of: task) }
      #expect(error.message.contains("2 of 3 drain scripts failed. Failed Jobs: "))
      #expect(error.message.contains("Successful Jobs: good."))
      let reason = "had not finished after the operator's limit of 10s (env.bosh.drain_timeout), and was ended"
      #expect(error.message.contains("stuck: \(reason)") && error.message.contains("asking: \(reason)"))
      #expect(try Self.states(test).mapValues(\.state) == ["stuck": .failed, "asking": .failed, "good": .drained])
      #expect(try !Pidfile.isAlive(at: "\(test.folder)/pid"))
      let waited = try await Self.wait(test, "stuck", .seconds(10))
      #expect(waited == .init(code: 1, text: "the drain of job 'stuck' failed: \(reason)"))
    }
  }

  @Test("a cancelled drain has failed for those who wait")
  func cancelled() async throws {
    try await TestAgent.with { test in
      let release = TestRelease(jobs: [("stuck", ["monit": "", "bin/drain": "#!/bin/bash\nexec sleep 1000\n"])])
      _ = try await test.call("apply", release.spec(for: test).value)
      let task = try await test.begin("drain", "shutdown", .null)
      try await waitFor(JobDrain.State.draining) { try Self.states(test)["stuck"]?.state }
      #expect(try await test.call("cancel_task", .string(task)) == "canceled")
      #expect(try await test.result(of: task) == 0)
      #expect(
        try await Self.wait(test, "stuck", .seconds(10))
          == .init(code: 1, text: "the drain of job 'stuck' failed: cancelled by user request"))
    }
  }

  @Test("what is waited for is decided from the first look and the last")
  func decisions() {
    func drain(_ state: JobDrain.State, drainedAt: String? = nil, reason: String? = nil) -> JobDrain {
      JobDrain(state: state, since: "s", reason: reason, drainedAt: drainedAt)
    }
    let rows: [(first: JobDrain, now: JobDrain, outcome: DrainWait.Outcome?)] = [
      (drain(.idle), drain(.idle), nil), (drain(.idle), drain(.draining), nil),
      (drain(.draining), drain(.drained, drainedAt: "1"), .drained),
      (drain(.drained, drainedAt: "1"), drain(.drained, drainedAt: "1"), .drained),
      // Drained and started again between two looks.
      (drain(.draining), drain(.idle, drainedAt: "1"), .drained),
      (drain(.idle, drainedAt: "1"), drain(.idle, drainedAt: "1"), nil),
      (drain(.draining), drain(.failed, reason: "why"), .failed("why")),
    ]
    for row in rows { #expect(DrainWait(first: row.first).outcome(row.now) == row.outcome) }
  }

  @Test("the command line of wait-drained")
  func arguments() throws {
    let given = try WaitDrainedOptions(["web@router/0", "--timeout=90", "-b", "/x"])
    #expect(given.job == "web" && given.instance == "router/0" && given.baseDirectory == "/x")
    #expect(given.timeout == .seconds(90))
    #expect(try WaitDrainedOptions(["web"]).timeout == .seconds(600))
    for wrong in [[], ["a", "b"], ["a", "--timeout"], ["a", "--timeout", "soon"], ["a@b"], ["../a"], ["a", "-x"]] {
      #expect(throws: DroverError.self, "\(wrong)") { try WaitDrainedOptions(wrong) }
    }
  }

  @Test("drain_timeout is a duration or seconds, nothing else")
  func limitSetting() throws {
    #expect(try AgentEnvironment(["bosh": ["drain_timeout": 90]]).drainTimeout == .seconds(90))
    #expect(try AgentEnvironment(["bosh": ["drain_timeout": "1h30m"]]).drainTimeout == .seconds(5400))
    #expect(try AgentEnvironment([:]).drainTimeout == nil)
    for wrong: Value in ["soon", 0, "-1s"] {
      let error = #expect(throws: DroverError.self) { try AgentEnvironment(["bosh": ["drain_timeout": wrong]]) }
      #expect("\(try #require(error))".contains("env.bosh.drain_timeout"))
    }
  }
}

extension Pidfile {
  fileprivate static func isAlive(at path: String) throws -> Bool { try Pidfile(path).process() != nil }
}
