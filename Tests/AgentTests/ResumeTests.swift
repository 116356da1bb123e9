import AgentProtocol
import Files
import Formats
import Processes
import TestSupport
import Testing

@testable import Agent

@Suite struct ResumeTests {
  @Test("an agent that is started again finishes what ran, under the same task, without running a script twice")
  func attach() async throws {
    try await withTemporaryFolder { folder in
      try TestAgent.prepare(folder)
      let base = "\(folder)/vcap"
      let wait = "while [ ! -e \(base)/go ]; do sleep 0.02; done"
      let files = [
        "bin/run": "#!/bin/bash\necho run >> \(base)/trace\n\(wait)\necho over; exit 4\n",
        "bin/pre-start": "#!/bin/bash\necho pre-start >> \(base)/trace\n\(wait)\n", "monit": "",
      ]
      let tasks = try await first(folder, files)
      try await TestAgent.run(in: folder) { test in
        for (request, task) in zip(["r1", "r2"], tasks) {
          let method = request == "r1" ? "run_errand" : "run_script"
          let response = try await test.request(method, ["pre-start", [:]], id: request)
          #expect(AgentTaskReply(try TestAgent.value(response))?.taskID == task)
        }
        try Files.replace("\(base)/go", with: [])
        let result = try ErrandResult(await test.result(of: tasks[0]))
        #expect(result == ErrandResult(stdout: "over\n", stderr: "", exitCode: 4))
        #expect(try await test.result(of: tasks[1]) == [:])
      }
      try await TestAgent.run(in: folder) { test in
        let again = try ErrandResult(await test.result(of: tasks[0]))
        #expect(again.exitCode == 4)
      }
      let trace = (Files.textIfPresent("\(base)/trace") ?? "").split(separator: "\n").sorted()
      #expect(trace == ["pre-start", "run"])
    }
  }

  /// Begins an errand and a script, and ends the agent while they run.
  private func first(_ folder: String, _ files: [String: String]) async throws -> [String] {
    try await TestAgent.run(in: folder) { test in
      let release = TestRelease(jobs: [("job", files)])
      _ = try await test.call("apply", release.spec(for: test).value)
      let errand = try await test.request("run_errand", ["job"], id: "r1")
      let script = try await test.request("run_script", ["pre-start", [:]], id: "r2")
      let ids = try [errand, script].map { try #require(AgentTaskReply(TestAgent.value($0))).taskID }
      try Files.replace("\(folder)/tasks.txt", with: Array(ids.joined(separator: "\n").utf8))
      try await waitFor(["pre-start", "run"]) {
        (Files.textIfPresent("\(test.base)/trace") ?? "").split(separator: "\n").map(String.init).sorted()
      }
    }
    return (Files.textIfPresent("\(folder)/tasks.txt") ?? "").split(separator: "\n").map(String.init)
  }
}
