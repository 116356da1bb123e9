import AgentProtocol
import Formats
import Messaging
import Processes
import Testing

@testable import Agent

/// Messages that no director should send, over a real nats-server. After each the agent answers a ping.
@Suite struct BadMessageTests {
  @Test("what is no message is not answered")
  func unreadable() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let texts = [
        "", "nonsense", "[]", "17", "null", #""x""#, #"{"method":"ping""#, #"{"method":"ping","arguments":[]} more"#,
        #"{"method":"ping","arguments":[NaN]}"#, #"{"method":"ping","arguments":[01]}"#,
        String(repeating: "[", count: 100_000), String(repeating: "n", count: 10_000_000),
      ]
      for text in texts {
        try await test.director.publish(test.subject, Array(text.utf8))
        try await test.expectAlive()
      }
      try await test.director.publish(test.subject, Array(repeating: 0xFF, count: 1_000_000))
      try await test.expectAlive()
    }
  }

  @Test("subjects to reply to that are none, or not its own, do no harm")
  func replySubjects() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let subjects: [Value] = [
        .null, 7, [:], "", "x", "director.*.>", "director.a b\r\nPUB agent.agent-1 2\r\n{}\r\n", "agent.agent-1",
        "director.x.other.y", .string("director.x." + String(repeating: "y", count: 5000)), "director..agent-1.x",
        "hm.agent.alert.agent-1",
      ]
      for subject in subjects {
        let message: Value = ["method": "ping", "arguments": [], "reply_to": subject]
        try await test.director.publish(test.subject, JSON.bytes(message))
        try await test.expectAlive()
      }
    }
  }

  @Test("messages of 10 MB, and long texts in them, are read and answered in bounds")
  func huge() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      // Put together from bytes, since the tests' own JSON would take its time.
      func message(_ before: String, _ filling: [UInt8], _ after: String) -> [UInt8] {
        Array(before.utf8) + filling + Array(after.utf8)
      }
      let text = [UInt8](repeating: UInt8(ascii: "z"), count: 10_000_000)
      let numbers = Array(repeating: Array("1234567,".utf8), count: 1_200_000).flatMap(\.self)
      let pings = [
        (#"{"method":"ping","arguments":[""#, text, #""],"reply_to":"#),
        (#"{"method":"ping","arguments":[["#, numbers, #"1]],"reply_to":"#),
      ]
      for (before, filling, after) in pings {
        let pong = try await test.answer(timeout: .seconds(60)) { message(before, filling, after + "\"\($0)\"}") }
        #expect(pong == .value("pong"))
      }
      let echoes = [
        (#"{"arguments":[],"method":""#, #"","reply_to":"#),
        (#"{"method":"get_task","arguments":[""#, #""],"reply_to":"#),
      ]
      for (before, after) in echoes {
        let response = try await test.answer(timeout: .seconds(60)) { message(before, text, after + "\"\($0)\"}") }
        guard case .exception(let message) = response else {
          Issue.record("no exception")
          continue
        }
        #expect(message.contains(AgentTexts.truncationMark) && message.utf8.count <= AgentLimits.maximumReplyBytes)
      }
    }
  }

  @Test("what is nested too deep is refused with an answer, and bytes that are no UTF-8 are replaced")
  func strange() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      for depth in [600, 9000, 200_000] {
        let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        let response = try await test.answer { reply in
          Array(#"{"protocol":3,"method":"apply","arguments":[\#(nested)],"reply_to":"\#(reply)"}"#.utf8)
        }
        guard case .exception(let message) = response else {
          Issue.record("no exception")
          continue
        }
        #expect(message.hasPrefix("Action Failed apply: ") && message.contains("nested deeper than 512 levels"))
      }
      let response = try await test.answer { reply in
        Array(#"{"method":"get_task","arguments":[""#.utf8) + [0xFF] + Array(#""],"reply_to":"\#(reply)"}"#.utf8)
      }
      #expect(
        response == .exception(message: "Action Failed get_task: Task with id \u{FFFD} could not be found"))
      try await test.expectAlive()
    }
  }

  @Test("arguments of every wrong kind, for every method, end in an exception or a value, never in silence")
  func wrongArguments() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let harmful: Set<AgentMethod> = [.shutdown, .updateSettings, .stop, .start]
      let kinds: [[Value]] = [
        [], [5], ["text"], [[1]], [.null], [true], [[:]], [1.5, [], [:], .null, "x"], [["a": ["b": ["c": [:]]]]],
      ]
      for method in AgentMethod.allCases where !harmful.contains(method) {
        for arguments in kinds {
          let response = try await test.request(method.rawValue, arguments)
          guard case .value(let value) = response, let task = AgentTaskReply(value) else { continue }
          _ = try? await test.result(of: task.taskID)
        }
        try await test.expectAlive()
      }
    }
  }

  @Test(
    "too few arguments, and wrong ones, are said as the Go agent says it",
    arguments: [
      ("get_task", [], "Action Failed get_task: \(few) expected 1, got 0"),
      ("ssh", [], "Action Failed ssh: \(few) expected 2, got 0"),
      ("ssh", [5], "Action Failed ssh: \(few) expected 2, got 1"),
      ("sync_dns", ["a", "b"], "Action Failed sync_dns: \(few) expected 3, got 2"),
      ("get_task", [5], "Action Failed get_task: \(wrong) task id: expected a string, found an integer"),
      ("get_state", [5], "Action Failed get_state: \(wrong) detail: expected a string, found an integer"),
      ("ssh", ["bogus", [:]], "Action Failed ssh: Unknown command for SSH method"),
      ("sync_dns", ["a", "b", -1], "Action Failed sync_dns: \(wrong) sync_dns.version: expected 0 or more, found -1"),
    ] as [(String, [Value], String)])
  func texts(method: String, arguments: [Value], expected: String) async throws {
    try await TestAgent.with { test in
      let response = try await test.request(method, arguments)
      #expect(response == .exception(message: expected))
    }
  }
}

private let few = "Extracting method arguments from payload: Not enough arguments,"
private let wrong = "Extracting method arguments from payload: Unmarshalling action argument:"
