import AgentProtocol
import Files
import Formats
import Logging
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Agent

@Suite struct TaskQueueTests {
  @Test("two thousand tasks queue behind one that waits; pings are answered, and each task's outcome can be had")
  func manyTasks() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let wait = "#!/bin/bash\nwhile [ ! -e \(test.base)/go ]; do sleep 0.05; done\n"
      let spec = try BlobFolder(folder: test.folder).spec(job: "slow", ["bin/pre-start": wait, "monit": ""])
      _ = try await test.call("apply", spec.value)
      func begin(_ script: Value) async throws -> String {
        let value = try TestAgent.value(await test.request("run_script", [script, [:]]))
        return try #require(AgentTaskReply(value)).taskID
      }
      var tasks = [try await begin("pre-start")]
      for number in 0..<2000 {
        tasks.append(try await begin("no-such"))
        if number % 100 == 0 { try await test.expectAlive() }
      }
      let last = try await test.request("get_task", [.string(tasks[2000])])
      #expect(AgentTaskReply(try TestAgent.value(last))?.taskID == tasks[2000])
      #expect(try await test.call("get_state")["job_state"] == "running")
      try Files.replace("\(test.base)/go", with: [])
      for task in tasks { #expect(try await test.result(of: task) == [:]) }
      #expect(try Files.names(in: VMLayout(base: test.base).tasks).count < 500)
    }
  }

  @Test("who asks for a task and may wait is answered when it is over, or when his time is; others need not wait")
  func waiting() async throws {
    try await TestAgent.with { test in
      let spec = try BlobFolder(folder: test.folder).spec(
        job: "job",
        ["bin/run": "#!/bin/bash\nwhile [ ! -e \(test.folder)/go ]; do sleep 0.02; done\nexit 3\n", "monit": ""])
      #expect(try await test.call("apply", spec.value) == "applied")
      let errand = try await test.begin("run_errand", "job")
      async let answer = test.request("get_task", [.string(errand)], wait: 15_000)
      for wait in [-1, 0, 30] {
        let running = try await test.request("get_task", [.string(errand)], wait: wait)
        #expect(AgentTaskReply(try TestAgent.value(running))?.taskID == errand)
      }
      #expect(try await test.call("ping") == "pong")
      try Files.replace("\(test.folder)/go", with: [])
      #expect(try ErrandResult(TestAgent.value(await answer)).exitCode == 3)
      // It is over already.
      let again = try await test.request("get_task", [.string(errand)], wait: 15_000)
      #expect(try ErrandResult(TestAgent.value(again)).exitCode == 3)
      // What begins a task may wait for it just so, and is told what get_task says, also by a repeat.
      let spoiled = try await test.request("fetch_logs", ["secret", .null], id: "logs", wait: 15_000)
      guard case .exception(let text) = spoiled else { throw DroverError(.failed, "found \(spoiled)") }
      #expect(text.hasPrefix("Action Failed get_task: Task ") && text.hasSuffix("result: Invalid log type"))
      #expect(try await test.request("fetch_logs", ["secret", .null], id: "logs", wait: 15_000) == spoiled)
      let begun = try await test.request("fetch_logs", ["secret", .null], id: "logs")
      #expect(AgentTaskReply(try TestAgent.value(begun)) != nil)
      let nobody = try await test.request("get_task", ["nobody"], wait: 15_000)
      #expect(throws: DroverError.self) { try TestAgent.value(nobody) }
    }
  }

  @Test("so many of a method run at once, the others in the order in which they came, one that is hurried at once")
  func turns() async {
    var turns = TaskTurns()
    turns.limit = 2
    for id in ["a", "b", "c", "d", "e"] { turns.request("errand", id) }
    turns.request("logs", "x")
    #expect(turns.isGranted("a") && turns.isGranted("b") && turns.isGranted("x"))
    #expect(!turns.isGranted("c"))
    turns.hurry("errand", "d")
    #expect(turns.isGranted("d") && !turns.isGranted("c"))
    turns.leave("errand", "a")
    #expect(!turns.isGranted("c"))
    turns.leave("errand", "b")
    #expect(turns.isGranted("c") && !turns.isGranted("e"))
    turns.leave("errand", "b")
    #expect(!turns.isGranted("e"))
    turns.leave("errand", "d")
    #expect(turns.isGranted("e"))
  }

  @Test("outcomes that nobody has asked for are kept beyond the number of those that were")
  func uncollected() {
    func task(_ id: String, _ second: Int, _ isCollected: Bool) -> TaskRetention.Finished {
      .init(id: id, endedAt: Timestamp(seconds: second), isCollected: isCollected)
    }
    var retention = TaskRetention(maximumCount: 1)
    retention.maximumUncollected = 2
    let tasks = [
      task("a", 9, true), task("b", 8, false), task("c", 7, true), task("d", 6, false), task("e", 5, false),
    ]
    #expect(retention.expired(tasks, now: Timestamp(seconds: 10)) == ["c", "e"])
  }

  @Test("what nobody has asked for outlives a director that is away for weeks, whatever else is printed meanwhile")
  func awayForWeeks() {
    let day = 24 * 3600
    func task(_ id: String, day number: Int, output: Int, _ isCollected: Bool) -> TaskRetention.Finished {
      .init(id: id, endedAt: Timestamp(seconds: number * day), output: output, isCollected: isCollected)
    }
    let retention = TaskRetention()
    let large = 700 << 20
    let tasks = [
      task("told", day: 99, output: large, true), task("told before", day: 98, output: large, true),
      task("untold", day: 80, output: large, false), task("untold before", day: 75, output: large, false),
      task("untold for long", day: 60, output: 0, false),
    ]
    #expect(
      Set(retention.expired(tasks, now: Timestamp(seconds: 99 * day + 3600))) == ["told before", "untold for long"])
    let huge = (0..<4).map { task("\($0)", day: 99 - $0, output: 3 << 30, false) }
    #expect(Set(retention.expired(huge, now: Timestamp(seconds: 99 * day))) == ["2", "3"])
  }

  @Test("whether somebody was told the outcome is known to the agent that is started next, but of no task that runs")
  func collectedIsWrittenDown() async throws {
    try await withTemporaryFolder { folder in
      let files = TaskFiles(folder: folder, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      for id in ["told", "untold", "running"] {
        var record = TaskRecord(
          id: id, requestID: "r", sequence: 1, method: "run_errand", protocolVersion: 3, arguments: ["a"],
          startedAt: Timestamp(seconds: 1))
        if id != "running" {
          record.outcome = .value(["exit_code": 3])
          record.endedAt = Timestamp(seconds: 2)
        }
        #expect(try TaskRecord(record.value) == record)
        try files.save(record)
      }
      func told() throws -> [String] { try files.load().filter(\.isCollected).map(\.id) }
      #expect(try told() == [])
      for id in ["told", "running", "forgotten"] { try files.markCollected(id) }
      #expect(try told() == ["told"])
      // Only that is kept, so that it does not grow with all there ever were.
      #expect(try Files.text("\(folder)/collected") == "told\n")
      #expect(try told() == ["told"])
      files.keepCollected([])
      #expect(try told() == [])
      // What can be neither read nor written keeps the agent from nothing.
      try Files.remove("\(folder)/collected")
      try Files.makeFolder("\(folder)/collected/in-its-place")
      #expect(try files.load().map(\.id).sorted() == ["running", "told", "untold"])
      files.keepCollected(["told"])
      #expect(throws: DroverError.self) { try files.markCollected("told") }
      #expect(try told() == [])
    }
  }

  @Test("a result is kept for who has read the output, and has not asked for the result yet")
  func outputIsNoResult() async throws {
    try await TestAgent.with { test in
      let spec = try BlobFolder(folder: test.folder).spec(
        job: "job", ["bin/run": "#!/bin/bash\necho here\nexit 3\n", "monit": ""])
      #expect(try await test.call("apply", spec.value) == "applied")
      let errand = try await test.begin("run_errand", "job")
      #expect(try await readAll(errand, test).stdout == Array("here\n".utf8))
      // More than are kept of those whose results were told.
      for _ in 0..<250 { _ = try await test.call("run_script", "no-such", [:]) }
      #expect(try ErrandResult(await test.result(of: errand)).exitCode == 3)
    }
  }

  @Test("an agent whose program was replaced while it runs still runs scripts")
  func replacedProgram() async throws {
    try await AgentProcess.with { test in
      let program = "\(test.folder)/drover-agent"
      try await test.start(program: try await Self.copyOfProgram(to: program))
      try Files.remove(program)
      let spec = try BlobFolder(folder: test.folder).spec(
        job: "job", ["bin/run": "#!/bin/bash\necho here\n", "monit": ""])
      #expect(try await test.call("apply", spec.value) == "applied")
      #expect(try ErrandResult(await test.call("run_errand", "job")).stdout == "here\n")
    }
  }

  /// By a process of its own: a program that this process writes can be held open by what another test starts.
  private static func copyOfProgram(to path: String) async throws -> String {
    try await Command("cp", TestAgent.program, path).run()
    return path
  }
}
