import AgentProtocol
import Files
import Formats
import Messaging
import Processes
import Testing

@testable import Agent

@Suite struct MessageLoopTests {
  @Test("what cannot be read is not answered, and the agent goes on")
  func badMessages() async throws {
    try await TestAgent.with { test in
      for text in ["", "nonsense", "[]", "17", "{\"method\":", String(repeating: "[", count: 100_000)] {
        try await test.bus.publish("agent.agent-1", Array(text.utf8))
      }
      try await test.bus.publish("agent.agent-1", Array(repeating: 0xFF, count: 1_000_000))
      #expect(try await test.call("ping") == "pong")
    }
  }

  @Test("errors have the texts that directors know")
  func texts() async throws {
    try await TestAgent.with { test in
      #expect(try await test.failure("noop") == "unknown message noop")
      #expect(try await test.failure("") == "unknown message ")
      #expect(
        try await test.failure("get_task")
          == "Action Failed get_task: Extracting method arguments from payload: Not enough arguments, expected 1, got 0"
      )
      #expect(
        try await test.failure("get_task", "nobody")
          == "Action Failed get_task: Task with id nobody could not be found")
      #expect(
        try await test.failure("cancel_task", "nobody")
          == "Action Failed cancel_task: Task with id nobody could not be found")
      let task = try await test.begin("run_script", "pre-start")
      await #expect(throws: DroverError.self) { try await test.result(of: task) }
      #expect(
        try await test.failure("get_task", .string(task))
          == "Action Failed get_task: Task \(task) result: Extracting method arguments from payload: "
          + "Not enough arguments, expected 2, got 1")
      #expect(
        try await test.failure("cancel_task", .string(try await test.begin("prepare", [:]))).isEmpty == false)
    }
  }

  @Test("a message without reply subject is carried out all the same")
  func noReply() async throws {
    try await TestAgent.with { test in
      let blob = UploadBlobRequest(
        blobID: "b1", checksum: "2aae6c35c94fcfb415dbe95f408b9ce91ee846ed", payload: "aGVsbG8gd29ybGQ=")
      let message = AgentRequest(.uploadBlob, [blob.value], replyTo: nil)
      try await test.bus.publish("agent.agent-1", message.bytes)
      try await waitFor("hello world") { Files.textIfPresent("\(test.base)/data/sensitive_blobs/b1") }
    }
  }

  @Test("every action of the reference is there, and nothing else")
  func registry() async throws {
    try await TestAgent.with { test in
      for method in AgentMethod.allCases where method != .shutdown && method != .readOutput {
        let response = try await test.request(method.rawValue)
        if case .exception(let message) = response { #expect(!AgentTexts.isUnknownMessage(message), "\(method)") }
      }
      for method in ["release_apply_spec", "noop"] {
        #expect(try await test.failure(method) == "unknown message \(method)")
      }
      #expect(try await test.call("info") == ["api_version": 1])
      #expect(try await test.call("ping", "ignored", 17) == "pong")
    }
  }

  @Test("a ping is answered while many tasks run, and all of them end")
  func pingDuringTasks() async throws {
    try await TestAgent.with { test in
      let release = TestRelease(jobs: [
        ("slow", ["bin/run": "#!/bin/bash\nwhile [ ! -e \(test.base)/go ]; do sleep 0.05; done\n", "monit": ""])
      ])
      _ = try await test.call("apply", release.spec(for: test).value)
      var tasks: [String] = []
      for _ in 0..<9 { tasks.append(try await test.begin("run_errand", "slow")) }
      // Serial ones queue behind each other, and do not hold up anything either.
      for _ in 0..<9 { tasks.append(try await test.begin("run_script", "no-such", [:])) }
      for _ in 0..<50 { #expect(try await test.request("ping", timeout: .seconds(2)) == .value("pong")) }
      #expect(try await test.call("get_state")["job_state"] == "running")
      let running = try await test.request("get_task", [.string(tasks[0])])
      #expect(try AgentTaskReply(TestAgent.value(running))?.taskID == tasks[0])
      try Files.replace("\(test.base)/go", with: [])
      for task in tasks { _ = try await test.result(of: task) }
    }
  }
}
