import AgentProtocol
import Digests
import Files
import Formats
import Processes
import Testing

@testable import Agent

/// What `run_errand` is answered with when it is asked for more than the task.
@Suite struct ErrandAnswerTests {
  @Test("the request that begins an errand can ask for its output, its result and the logs, as often as it comes")
  func answeredWithOutput() async throws {
    try await TestAgent.with { test in
      try await ErrandTests.errand("#!/bin/bash\necho x >> \(test.base)/count; echo out; echo err >&2; exit 3\n", test)
      try Files.replace("\(test.base)/data/sys/log/job.log", with: Array("a line".utf8))
      let logs = LogRequest(types: "job", archiveLimit: AgentLimits.maximumArchiveBytes)
      var reading = ReadOutputRequest(taskID: "", waitMilliseconds: 20_000, wantsResult: true, logs: logs)
      var tasks: Set<String> = []
      for _ in 0..<3 {
        let value = try TestAgent.value(await test.request("run_errand", ["job"], id: "request-1", reading: reading))
        let begun = try #require(AgentTaskReply(value))
        var output = try #require(begun.output)
        if !output.ended {
          // What is printed may come before the end.
          reading = ReadOutputRequest(
            taskID: begun.taskID, waitMilliseconds: 20_000, wantsResult: true, logs: logs)
          _ = try await test.result(of: begun.taskID)
          output = try ReadOutputReply(TestAgent.value(await test.request("read_output", [reading.value])))
        }
        #expect(output.ended)
        #expect(output.stdout == Base64.encode(Array("out\n".utf8)))
        #expect(output.stderr == Base64.encode(Array("err\n".utf8)))
        let result = try #require(output.result)
        #expect(try ErrandResult(TestAgent.value(result)).exitCode == 3)
        let archive = try #require(output.logs?.archive)
        try MultiDigest(#require(output.logs).sha1).verify(bytes: archive)
        let names = try await Self.names(in: archive, test)
        #expect(names.contains("./job.log"))
        tasks.insert(begun.taskID)
      }
      #expect(tasks.count == 1)
      #expect(Files.textIfPresent("\(test.base)/count") == "x\n")
    }
  }

  @Test("logs that are too long do not come with the output, and a script that waits is answered for in time")
  func answeredWithLess() async throws {
    try await TestAgent.with { test in
      try await ErrandTests.errand(
        "#!/bin/bash\n[ \"$1\" = wait ] || exit 0\nwhile [ ! -e \(test.base)/go ]; do sleep 0.02; done\n", test)
      let reading = ReadOutputRequest(
        taskID: "", waitMilliseconds: 20_000, wantsResult: true, logs: LogRequest(types: "job", archiveLimit: 10))
      let short = try TestAgent.value(await test.request("run_errand", ["job"], reading: reading))
      let output = try #require(AgentTaskReply(short)?.output)
      #expect(output.ended && output.result != nil && output.logs == nil)
      let brief = ReadOutputRequest(taskID: "", waitMilliseconds: 50, wantsResult: true)
      let waiting = try TestAgent.value(
        await test.request("run_errand", ["job", ["arguments": ["wait"]]], reading: brief))
      let begun = try #require(AgentTaskReply(waiting))
      #expect(begun.output?.ended == false && begun.output?.result == nil)
      try Files.replace("\(test.base)/go", with: [])
      #expect(try ErrandResult(await test.result(of: begun.taskID)).exitCode == 0)
    }
  }

  /// The names in an archive, as `tar` has them.
  private static func names(in archive: [UInt8], _ test: TestAgent) async throws -> [Substring] {
    try Files.replace("\(test.base)/logs.tgz", with: archive)
    return try await Command("tar", "tzf", "\(test.base)/logs.tgz").result().text.split(separator: "\n")
  }
}
