import Documents
import Formats
import Surroundings
import Testing

@testable import Director

/// Errands that work on resources of pools are run once for each work, whoever dies meanwhile.
@Suite struct PoolErrandSimulationTests {
  private func work(_ name: String = "account1", lease: String = "janitor/1", answer: Bool = false) -> PoolErrand {
    PoolErrand(
      deployment: "data", errand: "smoke", subject: "clean \(name) (account)", lease: lease,
      environment: ["DROVER_LEASE_NAME": name, "DROVER_LEASE_DATA_KEY": "s3cret", "DROVER_LEASED": "{}"],
      secret: ["DROVER_LEASED"], wantsAnswer: answer)
  }

  private func deployed(seed: UInt64, _ body: (SimulatedWorld) async throws -> Void) async throws {
    try await SimulatedWorld.run(seed: seed) { world in
      _ = try await world.deploy()
      world.behaviour.forget()
      try await body(world)
    }
  }

  private var runs: (SimulatedWorld) -> Int {
    { world in world.behaviour.deeds.count { $0.name.hasPrefix("errand ") } }
  }

  @Test("One run does the work, and who asks again finds it, however often the director dies", arguments: 1...10)
  func survives(_ number: Int) async throws {
    let seed = UInt64(1000 + number)
    try await deployed(seed: seed) { world in
      world.behaviour.errand = (lines: 12, exitCode: 0)
      let work = work()
      let name = PoolErrandRecord.name(work.lease)
      let tasks = try await world.survive(crashes: 5, deeds: 90) { director in
        world.surroundings.task { () async -> Void in _ = try? await director.perform(work) }
        while true {
          if let id = try await world.records.poolErrands.get(name)?.body.task,
            try await director.hasEnded(task: id) == false
          {
            return [id]
          }
          try await world.clock.sleep(.milliseconds(5))
        }
      }
      #expect(tasks.map(\.state) == [.done], "seed \(seed): \(tasks[0].result ?? "")")
      #expect(runs(world) == 1, "seed \(seed)")
      for _ in 1...2 {
        let outcome = try await world.withDirector { try await $0.perform(work) }
        #expect(outcome.task == tasks[0].id, "seed \(seed)")
        #expect(outcome.succeeded)
        #expect(runs(world) == 1, "seed \(seed)")
      }
      try await world.withDirector { director in
        #expect(try await director.poolErrandLeases(prefix: "janitor/") == [work.lease])
        try await director.forgetPoolErrand(work.lease)
      }
      #expect(try await world.records.poolErrands.list().isEmpty)
      #expect(world.behaviour.errandEnvironments.last?["DROVER_LEASE_NAME"] == "account1")
      try await world.checkTidy()
    }
  }

  @Test("A run whose task nobody knows any more has failed, and is not started again")
  func lost() async throws {
    try await deployed(seed: 1020) { world in
      try await world.withDirector { director in
        let id = try await director.tasks.reserveID()
        try await world.records.poolErrands.create(
          PoolErrandRecord.name(work().lease),
          PoolErrandRecord(task: id, subject: work().subject, lease: work().lease))
        let outcome = try await director.perform(work())
        #expect(!outcome.succeeded && outcome.ending == "task \(id): nothing is known of it any more")
        #expect(runs(world) == 0)
      }
    }
  }

  @Test("Whoever stops waiting leaves the run going, and a run that somebody cancels has failed")
  func waiting() async throws {
    try await deployed(seed: 1023) { world in
      try await world.withDirector { director in
        world.behaviour.errand = (lines: 1000, exitCode: 0)
        let work = work()
        let surroundings = world.surroundings
        let first = surroundings.task { () async throws -> PoolErrandOutcome in try await director.perform(work) }
        try await world.clock.sleep(.seconds(20))
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        let second = surroundings.task { () async throws -> PoolErrandOutcome in try await director.perform(work) }
        try await world.clock.sleep(.seconds(5))
        let id = try #require(try await world.records.poolErrands.list().first?.body.task)
        #expect(try await director.hasEnded(task: id) == false)
        try await director.tasks.cancel(id)
        let outcome = try await second.value
        #expect(outcome.task == id && !outcome.succeeded)
        #expect(runs(world) == 1)
      }
    }
  }

  @Test("The outcome says how it ended, and lists show no secret of it")
  func outcome() async throws {
    try await deployed(seed: 1021) { world in
      try await world.withDirector { director in
        world.behaviour.errand = (lines: 2, exitCode: 3)
        let failed = try await director.perform(work())
        #expect(!failed.succeeded)
        #expect(failed.ending == "task \(failed.task): exited with 3")
        #expect(failed.output.contains("line 1 of"))
        world.behaviour.errand = (lines: 1, exitCode: 0)
        let built = try await director.perform(work(lease: "janitor/2", answer: true))
        #expect(built.succeeded)
        #expect(built.answer == Array("the answer".utf8))
        let runs = try await director.errandRuns(deployment: "data", errand: nil, limit: 1)
        #expect(
          runs[0].environment == [
            "DROVER_LEASE_NAME": "account1", "DROVER_LEASE_DATA_KEY": "***", "DROVER_LEASED": "***",
          ])
        #expect(try await !world.lines(built.task, .result).joined().contains("answer\""))
      }
    }
  }

  @Test("An errand or a deployment that is not there is an obstacle, and nothing is begun")
  func obstacles() async throws {
    try await deployed(seed: 1024) { world in
      try await world.withDirector { director in
        #expect(await director.obstacle(toErrand: "smoke", in: "data") == nil)
        for (errand, deployment, text) in [
          ("smok", "data", "did you mean 'smoke"), ("smoke", "date", "Deployment 'date' doesn't exist"),
        ] {
          var unknown = work()
          (unknown.errand, unknown.deployment) = (errand, deployment)
          let obstacle = await #expect(throws: PoolErrandObstacle.self) { try await director.perform(unknown) }
          #expect(obstacle?.description.contains(text) == true, "\(obstacle?.description ?? "")")
        }
        let records = try await world.records.poolErrands.list()
        #expect(records.isEmpty)
      }
    }
  }

  @Test("A run for a lease that is over is ended before another is started; runs for two resources take turns")
  func turns() async throws {
    try await deployed(seed: 1022) { world in
      try await world.withDirector { director in
        world.behaviour.errand = (lines: 1000, exitCode: 0)
        let long = work()
        let first = world.surroundings.task { () async throws -> PoolErrandOutcome in try await director.perform(long) }
        try await world.clock.sleep(.seconds(20))
        world.behaviour.errand = (lines: 3, exitCode: 0)
        let second = try await director.perform(work(lease: "janitor/2"))
        #expect(second.succeeded)
        let ended = try await first.value
        #expect(!ended.succeeded)
        let surroundings = world.surroundings
        let works = [work("account2", lease: "janitor/3"), work("account3", lease: "janitor/4")]
        let both = works.map { work in
          surroundings.task { () async throws -> PoolErrandOutcome in try await director.perform(work) }
        }
        for task in both {
          let outcome = try await task.value
          #expect(outcome.succeeded, "\(outcome)")
        }
        try await world.checkTidy()
      }
    }
  }
}
