import Clouds
import Formats
import Testing

@testable import Director

/// An errand on several instances at once.
@Suite struct SeveralErrandsTests {
  private static let manifest = SimulatedRelease.manifest(smokes: 5)

  private func deploy(_ world: SimulatedWorld) async throws {
    try await world.withDirector { director in
      let id = try await director.deploy(DeployOrder(manifest: Self.manifest), user: "admin")
      #expect(try await director.tasks.wait(for: id).state == .done)
    }
    world.behaviour.forget()
  }

  private func order(
    _ count: Int?, parallel: Int? = nil, failsFast: Bool? = nil, timeoutSeconds: Int? = nil
  ) -> ErrandRun {
    var run = ErrandRun(timeoutSeconds: timeoutSeconds)
    (run.instanceCount, run.parallel, run.failsFast) = (count, parallel, failsFast)
    return run
  }

  private func run(_ errand: String, _ run: ErrandRun, _ world: SimulatedWorld) async throws -> TaskRecord {
    try await world.withDirector { director in
      let id = try await director.runErrand(errand, in: "data", run, user: "admin")
      return try await director.tasks.wait(for: id)
    }
  }

  private func outcomes(_ task: TaskRecord, _ world: SimulatedWorld) async throws -> [Value] {
    try await world.lines(task.id, .result).map { try JSON.parse($0) }
  }

  @Test("An errand runs on as many instances as it is asked to, each on a VM of its own that goes")
  func several() async throws {
    try await SimulatedWorld.run(seed: 901) { world in
      try await deploy(world)
      world.behaviour.errandCodes = [0: 0, 1: 7, 2: 3]
      // Long enough that the first still runs when the last one's VM is there.
      world.behaviour.silence = .seconds(60)
      let made = world.cloud.madeCount
      let task = try await run("smoke", order(3), world)
      #expect(task.state == .done)
      #expect(task.result == "1 succeeded, 2 errored, 0 canceled")
      #expect(try await outcomes(task, world).map { $0["exit_code"]?.int } == [0, 7, 3])
      #expect(world.deeds("smoke").count == 3)
      #expect(world.cloud.madeCount == made + 3)
      #expect(world.behaviour.mostRunning == 3)
      let runs = try await world.withDirector { try await $0.errandRuns(deployment: nil, errand: nil, limit: 1) }
      #expect(runs[0].exitCode == 7)
      // One that is named is the one that runs.
      let named = try await run("smoke-tests", ErrandRun(instances: [ErrandFilter(group: "smoke", id: "3")]), world)
      #expect(try await outcomes(named, world).count == 1)
      #expect(
        try await world.lines(named.id, .event).contains { $0.contains("Running errand") && $0.contains("(3)") })
      // Unless that is asked for, the first one alone; as its job's name means, too.
      for (errand, count) in [("smoke", nil), ("smoke-tests", nil), ("smoke-tests", 2), ("web", 2)] as [(String, Int?)]
      {
        let task = try await run(errand, order(count), world)
        #expect(try await outcomes(task, world).count == count ?? 1, "\(errand)")
      }
      try await world.checkTidy()
    }
  }

  @Test("What scripts came to is told also when their VMs cannot be deleted")
  func undeletable() async throws {
    try await SimulatedWorld.run(seed: 911) { world in
      try await deploy(world)
      world.behaviour.errandCodes = [0: 0, 1: 7]
      world.cloud.fail { $0 == "delete_vm" ? CloudError(.cloudError, "the host does not let go") : nil }
      let task = try await run("smoke", order(2), world)
      #expect(task.state == .error)
      #expect(task.result?.contains("the host does not let go") == true)
      #expect(try await outcomes(task, world).map { $0["exit_code"]?.int } == [0, 7])
      world.cloud.fail(nil)
      #expect(try await outcomes(try await run("smoke", order(2), world), world).count == 2)
      try await world.checkTidy()
    }
  }

  @Test("Not more run at once than are asked for", arguments: ["smoke", "web"])
  func parallel(_ errand: String) async throws {
    try await SimulatedWorld.run(seed: 902) { world in
      try await deploy(world)
      world.behaviour.errand = (lines: 5, exitCode: 0)
      let task = try await run(errand, order(3, parallel: 2), world)
      #expect(task.result == "3 succeeded, 0 errored, 0 canceled")
      #expect(world.behaviour.mostRunning == 2)
    }
  }

  @Test("More instances than there are is an error that says how many there are", arguments: ["smoke", "smoke-tests"])
  func tooMany(_ errand: String) async throws {
    try await SimulatedWorld.run(seed: 903) { world in
      try await deploy(world)
      let task = try await run(errand, order(6), world)
      #expect(task.state == .error)
      #expect(task.result?.contains("can't run on 6 instances of 'smoke', which has 5") == true, "\(task.result ?? "")")
      try await world.checkTidy()
    }
  }

  @Test("With --fail-fast the first failure ends the others, begins no more, and its code is the run's")
  func failFast() async throws {
    try await SimulatedWorld.run(seed: 904) { world in
      try await deploy(world)
      world.behaviour.errand = (lines: 1000, exitCode: 0)
      world.behaviour.errandCodes = [1: 5]
      let task = try await run("smoke", order(5, parallel: 3, failsFast: true), world)
      #expect(task.state == .done)
      #expect(task.result == "0 succeeded, 1 errored, 4 canceled")
      let outcomes = try await outcomes(task, world)
      #expect(outcomes.map { $0["exit_code"]?.int } == [143, 5, 143, 143, 143])
      #expect(outcomes[1]["failure"] == nil)
      #expect(outcomes.suffix(2).allSatisfy { $0["failure"]?.string == "not run" })
      #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } <= 3)
      let runs = try await world.withDirector { try await $0.errandRuns(deployment: nil, errand: nil, limit: 1) }
      #expect(runs[0].exitCode == 5)
      try await world.checkTidy()
    }
  }

  @Test("Without it a failure leaves the others alone, also one of ours, and their results are there")
  func independent() async throws {
    try await SimulatedWorld.run(seed: 905) { world in
      try await deploy(world)
      world.behaviour.fail("smoke pre-start")
      let failed = try await run("smoke", order(3), world)
      #expect(failed.state == .error)
      #expect(world.behaviour.deeds.count { $0.name == "pre-start" } == 3)
      world.behaviour.fail("smoke pre-start", false)
      try await world.checkTidy()
    }
  }

  @Test("Each instance has its script once and its result, however often the director dies", arguments: 1...8)
  func survives(_ number: Int) async throws {
    let seed = UInt64(910 + number)
    try await SimulatedWorld.run(seed: seed) { world in
      try await deploy(world)
      world.behaviour.errand = (lines: 8, exitCode: 0)
      world.behaviour.errandCodes = [2: 9]
      let made = world.cloud.madeCount
      let tasks = try await world.survive(crashes: 8, deeds: 200) { director in
        [
          try await director.runErrand("smoke", in: "data", order(5, parallel: 3), user: "admin"),
          try await director.runErrand("web", in: "data", order(nil, parallel: 1), user: "admin"),
        ]
      }
      #expect(tasks.map(\.state) == [.done, .done], "seed \(seed): \(tasks.compactMap(\.result))")
      #expect(tasks[0].result == "4 succeeded, 1 errored, 0 canceled", "seed \(seed)")
      #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == 5, "seed \(seed)")
      #expect(world.behaviour.deeds.count { $0.name == "errand web" } == 3, "seed \(seed)")
      #expect(world.cloud.madeCount == made + 5, "seed \(seed)")
      let printed = try await world.errandOutput(tasks[0].id)
      #expect(printed.values.map { $0.split(separator: "\n").count }.sorted() == [1, 8, 8, 8, 8], "seed \(seed)")
      try await world.checkTidy()
    }
  }

  @Test("With --fail-fast no script that has begun is left running, however often the director dies", arguments: 1...8)
  func failFastSurvives(_ number: Int) async throws {
    let seed = UInt64(930 + number)
    try await SimulatedWorld.run(seed: seed) { world in
      try await deploy(world)
      world.behaviour.errand = (lines: 1000, exitCode: 0)
      world.behaviour.errandCodes = [0: 5]
      let errand = number % 2 == 0 ? "smoke" : "web"
      let tasks = try await world.survive(crashes: 6, deeds: 80) { director in
        [try await director.runErrand(errand, in: "data", order(3, failsFast: true), user: "admin")]
      }
      #expect(tasks.map(\.state) == [.done], "seed \(seed): \(tasks[0].result ?? "")")
      let outcomes = try await outcomes(tasks[0], world)
      #expect(outcomes.map { $0["exit_code"]?.int } == [5, 143, 143], "seed \(seed)")
      #expect(world.behaviour.runningNow == 0, "seed \(seed)")
      try await world.checkTidy()
    }
  }

  @Test(
    "A run on running instances that is ended leaves no script running, however often the director dies",
    arguments: 1...8)
  func cancelled(_ number: Int) async throws {
    let seed = UInt64(950 + number)
    try await SimulatedWorld.run(seed: seed) { world in
      try await deploy(world)
      world.behaviour.errand = (lines: 1000, exitCode: 0)
      let tasks = try await world.survive(crashes: 5, deeds: 40) { director in
        [try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")]
      } meanwhile: { director, ids in
        try await world.clock.sleep(.milliseconds(world.clock.chance(3000)))
        try await director.tasks.cancel(ids[0])
      }
      #expect(tasks.map(\.state) == [.cancelled], "seed \(seed)")
      #expect(world.behaviour.runningNow == 0, "seed \(seed)")
      try await world.checkTidy()
    }
  }
}
