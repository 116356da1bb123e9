import AgentProtocol
import Files
import Formats
import Messaging
import Processes
import Testing

@testable import Agent

@Suite struct AgentProcessTests {
  @Test("over TLS, an agent killed with -9 during an errand finishes it after its restart, and the script ran once")
  func killed() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let base = test.base
      let script = """
        #!/bin/bash
        echo run >> \(base)/trace
        echo first
        while [ ! -e \(base)/go ]; do sleep 0.02; done
        echo last; exit 5

        """
      let machine = BlobFolder(folder: test.folder)
      let spec = try machine.spec(job: "job", ["bin/run": script, "monit": ""])
      #expect(try await test.call("apply", spec.value) == "applied")
      let begun = try await test.request("run_errand", ["job"], id: "e1")
      let task = try #require(AgentTaskReply(TestAgent.value(begun))).taskID
      try await waitFor("run\n") { Files.textIfPresent("\(base)/trace") }

      for _ in 0..<3 {
        await test.kill()
        try await test.start()
        let again = try await test.request("run_errand", ["job"], id: "e1")
        #expect(AgentTaskReply(try TestAgent.value(again))?.taskID == task)
      }
      let output = try ReadOutputReply(
        TestAgent.value(
          await test.request("read_output", [ReadOutputRequest(taskID: task, waitMilliseconds: 1000).value])))
      #expect(Base64.decode(output.stdout) == Array("first\n".utf8))
      try Files.replace("\(base)/go", with: [])
      let result = try ErrandResult(await test.result(of: task))
      #expect(result == ErrandResult(stdout: "first\nlast\n", stderr: "", exitCode: 5))
      #expect(Files.textIfPresent("\(base)/trace") == "run\n")
    }
  }

  @Test("a heartbeat comes at once, and SIGTERM ends the agent with 1")
  func heartbeat() async throws {
    try await AgentProcess.with { test in
      // The health monitor's subjects are not the director's: this connection may not listen to them.
      try await test.start()
      try await waitFor(true) { try Files.exists("\(test.base)/instance/health.json") }
      #expect(await test.terminate() == 1)
      let log = Files.textIfPresent("\(test.folder)/agent.log") ?? ""
      #expect(log.contains("[agent] ") && log.contains(" INFO - starting"))
      #expect(log.contains("received signal 15; leaving"))
      #expect(!log.contains("PRIVATE KEY"))
    }
  }
}

/// A blobstore folder and a spec made from it, without an agent in this process.
struct BlobFolder {
  let folder: String

  func spec(job: String, _ files: [String: String]) throws -> ApplySpec {
    let digest = try TestRelease.blob(
      Dictionary(uniqueKeysWithValues: files.map { ("\(job)/\($0.key)", $0.value) }), "rendered", folder: folder)
    var spec = ApplySpec(deployment: "dep", name: "group", id: "inst-1", index: 0)
    spec.job = ApplySpec.Job(name: "group", template: job, templates: [.init(name: job, version: "1")])
    spec.networks = ["default": ["ip": "10.0.0.9"]]
    spec.configurationHash = "hash"
    spec.renderedTemplatesArchive = .init(sha1: digest, blobstoreID: "rendered")
    return spec
  }
}
