import AgentProtocol
import Files
import Formats
import Processes
import Testing

@testable import Agent

@Suite struct LifecycleTests {
  @Test("a job goes through apply, pre-start, start, errand, drain and stop")
  func wholeLife() async throws {
    try await TestAgent.with { test in
      let base = test.base
      let scripts = [
        "bin/pre-start": "#!/bin/bash\necho pre-start $PATH $HOME $TMPDIR $LD_LIBRARY_PATH >> \(base)/trace\n",
        "bin/drain": "#!/bin/bash\necho drain $* $BOSH_JOB_STATE >> \(base)/trace\necho 0\n",
        "bin/run": "#!/bin/bash\necho out $1 $WHO; echo err >&2; exit 7\n",
        "config/web.yml": "a: 1\n",
      ]
      var release = TestRelease(jobs: [TestRelease.service("web", base: base, extra: scripts)])
      release.packages = [("tool", ["bin/tool": "#!/bin/sh\necho tool\n"])]
      let spec = try release.spec(for: test)

      #expect(try await test.call("prepare", spec.value) == "prepared")
      #expect(try Files.linkText("\(base)/jobs/web") == nil)
      #expect(try await test.call("apply", spec.value) == "applied")
      #expect(try await test.call("run_script", "pre-start", [:]) == [:])
      #expect(try await test.call("start") == "started")
      try await waitFor("running") { try await test.call("get_state")["job_state"]?.string }

      let state = try AgentState(await test.call("get_state", "full"))
      #expect(state.spec == spec)
      #expect(state.agentID == "agent-1" && state.vmName == "vm-1")
      #expect(state.processes.map(\.name) == ["web"])
      #expect(state.processes.first?.state == .running)
      #expect(Int(state.vitals?.memory.kilobytes ?? "") ?? 0 > 0)

      let errand = try ErrandResult(
        await test.call("run_errand", "web", ErrandOptions(arguments: ["arg"], environment: ["WHO": "me"]).value))
      #expect(errand == ErrandResult(stdout: "out arg me\n", stderr: "err\n", exitCode: 7))

      #expect(try await test.call("drain", "shutdown", .null) == 0)
      #expect(try await test.call("get_state")["job_state"] == "failing")
      #expect(try await test.call("stop") == "stopped")
      #expect(try await test.call("get_state")["job_state"] == "stopped")
      let trace = Files.textIfPresent("\(base)/trace") ?? ""
      #expect(
        trace == """
          pre-start /usr/sbin:/usr/bin:/sbin:/bin /root \(base)/data/tmp
          drain job_shutdown hash_unchanged {"persistent_disk":0}

          """)
      #expect(Files.textIfPresent("\(base)/instance/health.json") == #"{"state":"stopped"}"#)
      #expect(Files.textIfPresent("\(base)/instance/deployment") == "dep")
    }
  }
}

/// Asks again until the answer is the one that is expected.
func waitFor<T: Equatable & Sendable>(_ expected: T, _ ask: () async throws -> T?) async throws {
  var last: T?
  for _ in 0..<500 {
    last = try await ask()
    if last == expected { return }
    try await Task.sleep(for: .milliseconds(20))
  }
  Issue.record("expected \(expected), found \(String(describing: last))")
}
