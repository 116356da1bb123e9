import AgentProtocol
import Documents
import Formats
import Messaging
import Surroundings
import Testing

@testable import Director

/// Agents ask how far jobs of other instances are with their drains.
@Suite struct DrainDeskTests {
  private func deployed(
    seed: UInt64, _ body: (SimulatedWorld, Director) async throws -> Void
  ) async throws {
    try await SimulatedWorld.run(seed: seed) { world in
      try await world.withDirector { director in
        let id = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        #expect(try await director.tasks.wait(for: id).state == .done)
        try await body(world, director)
      }
    }
  }

  /// Publishes a question and gives what the asker hears, if it hears something soon.
  private func ask(
    _ world: SimulatedWorld, _ agent: String, _ payload: Value, request: String, heard: MessageSubscription
  ) async throws -> DrainAnswer.Outcome? {
    try await world.bus.publish(
      AgentSubjects.drainQuestion(agentID: agent, requestID: request), JSON.bytes(payload))
    return try await withThrowingTaskGroup(of: DrainAnswer.Outcome?.self) { group in
      group.addTask {
        while let message = try await heard.next() {
          guard case .request(let request_) = AgentRequest.read(message.payload), request_.method == "drained",
            let answer = try? DrainAnswer(request_.arguments[0]), answer.request == request
          else { continue }
          return answer.outcome
        }
        return nil
      }
      group.addTask {
        try await world.surroundings.sleep(.seconds(8))
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
  }

  @Test("an instance is told about others of its deployment, by index or id; nobody else is told anything")
  func questions() async throws {
    try await deployed(seed: 41) { world, _ in
      let instances = try await world.records.instances.list().map(\.body)
      let web = try #require(instances.first { $0.group == "web" })
      let db = try #require(instances.first { $0.group == "db" })
      let (asker, other) = (try #require(web.vm?.agentID), try #require(db.vm?.agentID))
      let heard = try await world.bus.subscribe(AgentSubjects.requests(agentID: asker))
      let state: Value = ["state": "draining", "since": "now"]
      for (number, name) in ["db/0", "db/\(db.id)"].enumerated() {
        #expect(
          try await ask(
            world, asker, DrainQuestion(job: "db", instance: name).value, request: "r\(number)", heard: heard)
            == .state(state, agent: other))
        try await world.surroundings.sleep(.seconds(1))
      }
      let unknown = try await ask(
        world, asker, DrainQuestion(job: "db", instance: "db/7").value, request: "r3", heard: heard)
      #expect(unknown == .refused("deployment 'data' has no instance 'db/7'"))
      try await world.surroundings.sleep(.seconds(1))
      guard
        case .refused(let text) = try await ask(
          world, asker, DrainQuestion(job: "none", instance: "db/0").value, request: "r4", heard: heard)
      else {
        Issue.record("expected a refusal")
        return
      }
      #expect(text.contains("no job 'none'"))
      try await world.surroundings.sleep(.seconds(1))
      guard case .refused = try await ask(world, asker, ["job": 7], request: "r5", heard: heard) else {
        Issue.record("expected a refusal")
        return
      }
      // Two at once: the second one is dropped.
      try await world.surroundings.sleep(.seconds(1))
      let question = DrainQuestion(job: "db", instance: "db/0").value
      try await world.bus.publish(
        AgentSubjects.drainQuestion(agentID: asker, requestID: "first"), JSON.bytes(question))
      #expect(try await ask(world, asker, question, request: "second", heard: heard) == nil)

      let stranger = try await world.bus.subscribe(AgentSubjects.requests(agentID: "stranger"))
      #expect(try await ask(world, "stranger", question, request: "r6", heard: stranger) == nil)
    }
  }

  @Test("an instance without a VM has nothing left to drain, and one whose agent is silent cannot be told about")
  func withoutVM() async throws {
    try await deployed(seed: 42) { world, _ in
      let instances = try await world.records.instances.list()
      let web = try #require(instances.first { $0.body.group == "web" })
      let db = try #require(instances.first { $0.body.group == "db" })
      let asker = try #require(web.body.vm?.agentID)
      let heard = try await world.bus.subscribe(AgentSubjects.requests(agentID: asker))
      let question = DrainQuestion(job: "db", instance: "db/0").value
      var record = db.body
      record.vm?.agentID = "nobody"
      try await world.records.instances.put(db.name, record)
      guard case .failed(let text) = try await ask(world, asker, question, request: "r1", heard: heard) else {
        Issue.record("expected a failure")
        return
      }
      #expect(text.contains("nobody"))
      record.vm = nil
      try await world.records.instances.put(db.name, record)
      #expect(try await ask(world, asker, question, request: "r2", heard: heard) == .gone)
    }
  }
}
