import Blobs
import Formats
import Surroundings
import Testing

@testable import Director

/// What a run of an errand may be asked for.
@Suite struct ErrandSimulationTests {
  private func deployed(seed: UInt64, _ body: (SimulatedWorld, Director) async throws -> Void) async throws {
    try await SimulatedWorld.run(seed: seed) { world in
      try await world.withDirector { director in
        let id = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        #expect(try await director.tasks.wait(for: id).state == .done)
        world.behaviour.forget()
        try await body(world, director)
        try await world.checkTidy()
      }
    }
  }

  private func run(_ errand: String, _ director: Director, _ run: ErrandRun = ErrandRun()) async throws -> TaskRecord {
    let id = try await director.runErrand(errand, in: "data", run, user: "admin")
    return try await director.tasks.wait(for: id)
  }

  private func outcomes(_ task: TaskRecord, _ world: SimulatedWorld) async throws -> [Value] {
    try await world.lines(task.id, .result).map { try JSON.parse($0) }
  }

  @Test("With --when-changed an errand is run again only for a reason", arguments: ["smoke", "web"])
  func whenChanged(_ errand: String) async throws {
    try await deployed(seed: 81) { world, director in
      let changed = ErrandRun(whenChanged: true)
      func isRun(_ order: ErrandRun) async throws -> Bool {
        world.behaviour.forget()
        let task = try await run(errand, director, order)
        #expect(task.state == .done, "\(task.result ?? "")")
        let isRun = world.behaviour.deeds.contains { $0.name.hasPrefix("errand ") }
        #expect((task.result == "skipped - no changes detected") == !isRun)
        #expect(try await outcomes(task, world).isEmpty == !isRun)
        return isRun
      }
      #expect(try await isRun(changed))
      #expect(try await !isRun(changed))
      // Another one is run whatever was before.
      #expect(try await isRun(ErrandRun()))
      #expect(try await !isRun(changed))
      // Other arguments are a reason, and so is another environment.
      var other = changed
      other.arguments = ["--fast"]
      #expect(try await isRun(other))
      #expect(try await !isRun(other))
      other.environment = ["A": "b"]
      #expect(try await isRun(other))
      // A failure is one, until a run succeeds.
      world.behaviour.errand = (lines: 1, exitCode: 3)
      #expect(try await isRun(ErrandRun()))
      #expect(try await isRun(changed))
      world.behaviour.errand = (lines: 1, exitCode: 0)
      #expect(try await isRun(changed))
      #expect(try await !isRun(changed))
      // And so is another configuration, of the instances that run it.
      let deploy = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest(port: 81)), user: "admin")
      #expect(try await director.tasks.wait(for: deploy).state == .done)
      #expect(try await isRun(changed) == (errand == "web"))
      #expect(try await !isRun(changed))
    }
  }

  @Test("Archives of logs that are the same are kept once within an hour, and each for ten days after it was told")
  func logs() async throws {
    try await deployed(seed: 85) { world, director in
      func blobs(_ instances: [String] = []) async throws -> [String] {
        let filters = instances.map { ErrandFilter(group: "web", id: $0) }
        let task = try await run("web", director, ErrandRun(instances: filters))
        #expect(task.state == .done, "\(task.result ?? "")")
        return try await outcomes(task, world).map { try #require($0["logs"]?["blobstore_id"]?.string) }
      }
      let before = try await world.blobs.list().count
      let one = try #require(try await blobs(["0"]).first)
      #expect(try await blobs() == [one, one, one])
      #expect(try await world.blobs.list().count == before + 1)
      #expect(try await world.blobs.bytes(one, limit: 100) == Array("logs".utf8))
      // Somebody deletes it: it is kept anew.
      try await world.blobs.delete(one)
      let other = try #require(try await blobs(["0"]).first)
      #expect(other != one)
      try await world.surroundings.sleep(.seconds(3500))
      #expect(try await blobs(["1"]) == [other])
      try await world.surroundings.sleep(.seconds(10 * 24 * 3600 - 60))
      let next = try #require(try await blobs(["1"]).first)
      #expect(next != other)
      #expect(try await world.blobs.exists(other))
      try await world.surroundings.sleep(.seconds(2 * 3600))
      _ = try await blobs(["1"])
      #expect(try await !world.blobs.exists(other))
      #expect(try await world.blobs.exists(next))
    }
  }

  @Test("A script that ends with 0 since its time was up has not succeeded: there is a reason to run it again")
  func endedInTime() async throws {
    try await deployed(seed: 83) { world, director in
      world.behaviour.errand = (lines: 5000, exitCode: 0)
      world.behaviour.endedCode = 0
      let task = try await run("smoke", director, ErrandRun(timeoutSeconds: 20))
      #expect(try await outcomes(task, world).first?["failure"]?.string == "timeout")
      #expect(try await outcomes(task, world).first?["exit_code"]?.int == 124)
      #expect(task.result == "0 succeeded, 1 errored, 0 canceled")
      #expect(try await director.errandRuns(deployment: nil, errand: nil, limit: 1).map(\.exitCode) == [124])
      world.behaviour.errand = (lines: 1, exitCode: 0)
      let again = try await run("smoke", director, ErrandRun(whenChanged: true, timeoutSeconds: 20))
      #expect(again.result != ErrandChanges.skipped)
    }
  }

  @Test("Whether there is a reason is decided once, however often the director dies", arguments: 1...6)
  func whenChangedSurvives(_ number: Int) async throws {
    let seed = UInt64(820 + number)
    try await SimulatedWorld.run(seed: seed) { world in
      for round in 0..<2 {
        world.behaviour.forget()
        let tasks = try await world.survive(crashes: 5, deeds: 120) { director in
          if round == 0 {
            let deploy = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
            _ = try await director.tasks.wait(for: deploy)
          }
          return [try await director.runErrand("smoke", in: "data", ErrandRun(whenChanged: true), user: "admin")]
        }
        #expect(tasks.map(\.state) == [.done], "seed \(seed): \(tasks.first?.result ?? "")")
        #expect(
          world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == (round == 0 ? 1 : 0), "seed \(seed)")
      }
      try await world.checkTidy()
    }
  }

  @Test("A script whose time is up is ended, and said to have been")
  func timeout() async throws {
    try await deployed(seed: 83) { world, director in
      world.behaviour.errand = (lines: 1000, exitCode: 0)
      let begun = world.clock.now
      let task = try await run("smoke", director, ErrandRun(timeoutSeconds: 20))
      #expect(task.state == .done)
      let outcome = try #require(try await outcomes(task, world).first)
      #expect(outcome["failure"]?.string == "timeout")
      #expect(outcome["exit_code"]?.int == 124)
      #expect(world.clock.now - begun < .seconds(60))
      #expect(try await world.lines(task.id, .event).contains { $0.contains("as long as it may; it is ended") })
      // One that is faster knows nothing of it.
      world.behaviour.errand = (lines: 2, exitCode: 0)
      let fast = try #require(
        try await outcomes(try await run("smoke", director, ErrandRun(timeoutSeconds: 600)), world).first)
      #expect(fast["failure"] == nil)
      #expect(fast["exit_code"]?.int == 0)
    }
  }

  @Test("The time of a script goes on while no director runs", arguments: 1...4)
  func timeoutSurvives(_ number: Int) async throws {
    try await SimulatedWorld.run(seed: UInt64(840 + number)) { world in
      let manifest = SimulatedRelease.manifest()
      _ = try await world.withDirector { director in
        let id = try await director.deploy(DeployOrder(manifest: manifest), user: "admin")
        return try await director.tasks.wait(for: id)
      }
      world.behaviour.errand = (lines: 1000, exitCode: 0)
      let tasks = try await world.survive(crashes: 4, deeds: 60) { director in
        [try await director.runErrand("smoke", in: "data", ErrandRun(timeoutSeconds: 30), user: "admin")]
      }
      #expect(tasks.map(\.state) == [.done])
      let outcome = try #require(try await outcomes(tasks[0], world).first)
      #expect(outcome["failure"]?.string == "timeout")
      try await world.checkTidy()
    }
  }

  @Test("A script that prints nothing for an hour is waited for, also by the next directors", arguments: 0...3)
  func silentHour(_ crashes: Int) async throws {
    try await SimulatedWorld.run(seed: UInt64(900 + crashes)) { world in
      let manifest = SimulatedRelease.manifest()
      _ = try await world.withDirector { director in
        let id = try await director.deploy(DeployOrder(manifest: manifest), user: "admin")
        return try await director.tasks.wait(for: id)
      }
      world.behaviour.silence = .seconds(3600)
      world.behaviour.errand = (lines: 3, exitCode: 5)
      let begun = world.clock.now
      let tasks = try await world.survive(crashes: crashes, deeds: 40) { director in
        [try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin")]
      }
      #expect(world.clock.now - begun >= .seconds(3600))
      #expect(tasks.map(\.state) == [.done])
      let outcome = try #require(try await outcomes(tasks[0], world).first)
      #expect(outcome["exit_code"]?.int == 5 && outcome["failure"] == nil)
      #expect(outcome["stdout"]?.string?.split(separator: "\n").count == 3)
      try await world.checkTidy()
    }
  }

  @Test("A script that is not there has the code of container tools, and its VM goes")
  func notThere() async throws {
    try await deployed(seed: 85) { world, director in
      world.behaviour.fail("smoke errand")
      let task = try await run("smoke", director)
      #expect(task.state == .done)
      #expect(task.result == "0 succeeded, 1 errored, 0 canceled")
      let outcome = try #require(try await outcomes(task, world).first)
      #expect(outcome["exit_code"]?.int == 127)
      #expect(outcome["failure"]?.string == "script not found")
      #expect(outcome["stderr"]?.string?.contains("there is no such file") == true)
    }
  }

  @Test("With --queue a run waits for the one that is under way")
  func queue() async throws {
    try await deployed(seed: 86) { world, director in
      world.behaviour.errand = (lines: 20, exitCode: 0)
      let first = try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin")
      await #expect(throws: DirectorFailure.self) {
        _ = try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin")
      }
      let second = try await director.runErrand("smoke", in: "data", ErrandRun(waitsForTurn: true), user: "admin")
      let ended = try await (director.tasks.wait(for: first), director.tasks.wait(for: second))
      #expect(ended.0.state == .done)
      #expect(ended.1.state == .done)
      #expect(try #require(ended.1.finishedAt) >= #require(ended.0.finishedAt))
      #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == 2)
    }
  }

  @Test("Runs are listed, the last one first, without what nobody is to see")
  func listing() async throws {
    try await deployed(seed: 87) { world, director in
      world.behaviour.errand = (lines: 1, exitCode: 4)
      var secret = ErrandRun(arguments: ["a", "b"], environment: ["OPEN": "1", "TOKEN": "hidden"])
      secret.maskedVariables = ["TOKEN"]
      _ = try await run("smoke", director, secret)
      secret.masksArguments = true
      _ = try await run("web", director, secret)
      let runs = try await director.errandRuns(deployment: "data", errand: nil, limit: 10)
      #expect(runs.map(\.errand) == ["web", "smoke"])
      #expect(runs.map(\.exitCode) == [4, 4])
      #expect(runs.map(\.arguments) == [["***", "***"], ["a", "b"]])
      #expect(runs[1].environment == ["OPEN": "1", "TOKEN": "***"])
      #expect(runs[0].outcomes.count == 3)
      #expect(runs[0].outcomes.allSatisfy { $0["stdout"] == nil })
      #expect(try await director.errandRuns(deployment: "data", errand: "smoke", limit: 10).count == 1)
      #expect(try await director.errandRuns(deployment: nil, errand: nil, limit: 1).map(\.errand) == ["web"])
      #expect(try await director.errandRuns(deployment: "other", errand: nil, limit: 10).isEmpty)
    }
  }
}
