import AgentProtocol
import Documents
import Files
import Formats
import Messaging
import Processes
import Surroundings
import TestSupport
import Testing

@testable import Agent
@testable import Director

/// `wait-drained JOB@GROUP/INDEX`.
@Suite(.timeLimit(.minutes(10))) struct WaitElsewhereTests {
  private func wait(_ bus: any MessageBus, timeout: Duration = .seconds(30)) -> WaitElsewhere {
    var wait = WaitElsewhere(
      job: "router", instance: "web/1", timeout: timeout, agentID: "a1", bus: bus, surroundings: .system)
    wait.pause = .milliseconds(10)
    wait.answerLimit = .milliseconds(100)
    wait.patience = .milliseconds(300)
    return wait
  }

  /// A director that answers one question after the other with these; after the last one always with that.
  private func director(_ bus: MemoryBus, _ outcomes: [DrainAnswer.Outcome?]) async throws -> Task<Void, any Error> {
    let questions = try await bus.subscribe(AgentSubjects.allDrainQuestions)
    return Task {
      var rest = outcomes[...]
      var last: DrainAnswer.Outcome?
      while let message = try await questions.next() {
        if let next = rest.popFirst() { last = next }
        #expect(try DrainQuestion(JSON.parse(message.payload)) == DrainQuestion(job: "router", instance: "web/1"))
        let request = String(message.subject.split(separator: ".")[3])
        #expect(message.subject == "director.drained.a1.\(request)")
        guard let last else { continue }
        // Other messages of the agent, and answers to others, are none of its business.
        try await bus.publish("agent.a1", AgentRequest(.ping, replyTo: "x").bytes)
        for id in ["other", request] {
          let answer = AgentRequest(.drained, [DrainAnswer(request: id, last).value], replyTo: "x")
          try await bus.publish("agent.a1", answer.bytes)
        }
      }
    }
  }

  private static func state(
    _ state: JobDrain.State, agent: String = "b", drainedAt: String? = nil
  ) -> DrainAnswer.Outcome {
    .state(JobDrain(state: state, since: "s", reason: "why", drainedAt: drainedAt).value, agent: agent)
  }

  @Test(
    "what is answered decides",
    arguments: [
      ([state(.idle), nil, state(.draining), state(.drained)], 0, "job 'router@web/1' has drained"),
      ([state(.draining), state(.idle, drainedAt: "t")], 0, "job 'router@web/1' has drained"),
      ([state(.draining), .failed("down"), .gone], 0, "job 'router@web/1' has drained: the instance has no VM"),
      (
        [state(.draining), state(.idle, agent: "c")], 0,
        "job 'router@web/1' has drained: another VM has taken its place"
      ),
      ([.failed("x"), .refused("no such instance")], 1, "no such instance"),
      ([state(.draining), state(.failed)], 1, "the drain of job 'router@web/1' failed: why"),
    ] as [([DrainAnswer.Outcome?], Int32, String)])
  func outcomes(outcomes: [DrainAnswer.Outcome?], code: Int32, text: String) async throws {
    let bus = MemoryBus()
    let director = try await director(bus, outcomes)
    defer { director.cancel() }
    #expect(try await wait(bus).wait() == .init(code: code, text: text))
  }

  @Test("a job that goes on is given up when the time is over; a director that knows no such question is named")
  func time() async throws {
    let bus = MemoryBus()
    let director = try await director(bus, [Self.state(.draining)])
    let late = try await wait(bus, timeout: .milliseconds(200)).wait()
    #expect(late.code == 124 && late.text.hasSuffix("it is draining since s"))
    director.cancel()
    let error = try await #require(throws: DroverError.self) { _ = try await wait(MemoryBus()).wait() }
    #expect(error.message.contains("no director answers"))
  }

  @Test("questions and answers are what was said, and what is none is refused")
  func messages() throws {
    for outcome: DrainAnswer.Outcome in [.gone, .refused("r"), .failed("f"), .state(["state": "idle"], agent: "b")] {
      let answer = DrainAnswer(request: "q", outcome)
      #expect(try DrainAnswer(answer.value) == answer)
    }
    for wrong: Value in [[:], ["request": "q"], ["request": "q", "state": [:]], ["request": "q", "gone": false], 7] {
      #expect(throws: DroverError.self) { try DrainAnswer(wrong) }
    }
    #expect(throws: DroverError.self) { try DrainQuestion(["job": "j"]) }
  }

  @Test("the whole way: program, nats-server with the director's permissions, director, agent")
  func wholeWay() async throws {
    try await AgentProcess.with { test in
      try await test.start()
      let hold = "\(test.folder)/hold"
      let drain = "#!/bin/bash\nwhile [ ! -e \(hold) ]; do sleep 0.05; done\necho 0\n"
      let spec = try BlobFolder(folder: test.folder).spec(job: "slow", ["bin/drain": drain, "monit": ""])
      #expect(try await test.call("apply", spec.value) == "applied")
      #expect(try await test.call("start") == "started")
      func program(_ target: String, _ timeout: String) async throws -> CommandResult {
        try await Command(TestAgent.program, "wait-drained", target, "--timeout", timeout, "-b", test.base).result()
      }
      // A director that has no such question, as BOSH's.
      let nobody = try await program("slow@web/0", "2s")
      #expect(nobody.lastErrorLines().contains("no director answers"))

      let records = Records(MemoryDocumentStore())
      var record = InstanceRecord(deployment: "d", group: "web", id: "uuid", index: 0)
      record.vm = VMRecord(agentID: TestAgent.id, cid: "vm", stemcell: "s", recipe: "r", createdAt: 0)
      try await records.instances.put(record.documentName, record)
      let agents = try await AgentBus(bus: test.director, directorID: "desk", surroundings: .system)
      let desk = try await DrainDesk(
        bus: test.director, agents: agents, records: records, directorID: "desk", surroundings: .system)
      let unknown = try await program("none@web/0", "20s")
      #expect(unknown.lastErrorLines().contains("no job 'none' on this VM; it has slow"))
      async let waiting = program("slow@web/0", "60s")
      let task = try await TestAgent.value(test.request("drain", ["shutdown"]))
      try await Task.sleep(for: .milliseconds(300))
      try Files.replace(hold, with: [])
      _ = try await test.result(of: try #require(AgentTaskReply(task)).taskID)
      let done = try await waiting
      #expect(done.succeeded && done.lastErrorLines().contains("job 'slow@web/0' has drained"))
      let byID = try await program("slow@web/uuid", "60s")
      #expect(byID.succeeded && byID.lastErrorLines().contains("job 'slow@web/uuid' has drained"))
      desk.close()
      let log = Files.textIfPresent("\(test.folder)/nats/nats.log") ?? ""
      #expect(!log.isEmpty && !log.contains("Violation"))
    }
  }
}
