import Formats
import Testing

@testable import Director

/// Operations that cannot overlap wait for each other; tasks are ended (design D8).
@Suite struct LockSimulationTests {
  private func deployed(seed: UInt64, _ body: @Sendable (SimulatedWorld, Director) async throws -> Void) async throws {
    try await SimulatedWorld.run(seed: seed) { world in
      try await world.withDirector { director in
        let id = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        #expect(try await director.tasks.wait(for: id).state == .done)
        try await body(world, director)
        try await world.checkTidy()
      }
    }
  }

  /// Waits until a deploy has the group for itself.
  private func hasWeb(_ deploy: Int, _ director: Director, _ world: SimulatedWorld) async throws {
    while try await director.tasks.task(deploy).locks?["group:data/web"] == nil {
      try await world.clock.sleep(.milliseconds(5))
    }
  }

  @Test("A deploy waits for an errand on one of its groups, and says so; the errand sees nothing of the deploy")
  func deployWaitsForErrand() async throws {
    try await deployed(seed: 1) { world, director in
      world.behaviour.errand = (lines: 30, exitCode: 0)
      let errand = try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")
      while !world.behaviour.deeds.contains(where: { $0.name == "errand web" }) {
        try await world.clock.sleep(.milliseconds(20))
      }
      let deploy = try await director.deploy(
        DeployOrder(manifest: SimulatedRelease.manifest(port: 81)), user: "admin")
      #expect(try await director.tasks.wait(for: errand).state == .done)
      #expect(!world.behaviour.deeds.contains { $0.name == "stop" })
      let ended = try await director.tasks.wait(for: deploy)
      #expect(ended.state == .done, "\(ended.result ?? "")")
      #expect(world.behaviour.deeds.count { $0.name == "stop" } == 3)
      let warnings = try await world.lines(deploy, .event).filter { $0.contains("Waiting for task \(errand)") }
      #expect(warnings.count == 1)
    }
  }

  @Test("An errand that waits for a deploy runs what was deployed")
  func errandWaitsForDeploy() async throws {
    try await deployed(seed: 2) { world, director in
      world.behaviour.forget()
      let deploy = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest(webs: 4)), user: "admin")
      try await hasWeb(deploy, director, world)
      let errand = try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")
      #expect(try await director.tasks.wait(for: errand).state == .done)
      #expect(try await director.tasks.task(deploy).state == .done)
      #expect(world.behaviour.deeds.count { $0.name == "errand web" } == 4)
    }
  }

  @Test("The same errand is refused while it runs, also when both are asked for at once")
  func sameErrand() async throws {
    try await deployed(seed: 3) { world, director in
      world.behaviour.errand = (lines: 10, exitCode: 0)
      let outcomes = await withTaskGroup(of: Result<Int, any Error>.self) { group in
        for _ in 0..<5 {
          group.addTask {
            do { return .success(try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin")) } catch
            {
              return .failure(error)
            }
          }
        }
        return await group.reduce(into: [Result<Int, any Error>]()) { $0.append($1) }
      }
      let ids = outcomes.compactMap { try? $0.get() }
      #expect(ids.count == 1)
      for case .failure(let error) in outcomes { #expect((error as? DirectorFailure)?.number == 510001) }
      // Another errand, and the same on others, are let in.
      let first = ErrandRun(instances: [ErrandFilter(group: "web", id: "0")])
      let second = ErrandRun(instances: [ErrandFilter(group: "web", id: "1")])
      let more = [
        try await director.runErrand("web", in: "data", first, user: "admin"),
        try await director.runErrand("web", in: "data", second, user: "admin"),
      ]
      for id in ids + more { #expect(try await director.tasks.wait(for: id).state == .done) }
      #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == 1)
      #expect(world.behaviour.deeds.count { $0.name == "errand web" } == 2)
    }
  }

  @Test("A task that waits for another can be ended")
  func cancelWaiting() async throws {
    try await deployed(seed: 4) { world, director in
      world.behaviour.errand = (lines: 40, exitCode: 0)
      let errand = try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")
      while !world.behaviour.deeds.contains(where: { $0.name == "errand web" }) {
        try await world.clock.sleep(.milliseconds(20))
      }
      let deploy = try await director.deploy(
        DeployOrder(manifest: SimulatedRelease.manifest(port: 81)), user: "admin")
      try await world.clock.sleep(.milliseconds(100))
      try await director.tasks.cancel(deploy)
      #expect(try await director.tasks.wait(for: deploy).state == .cancelled)
      #expect(try await !director.tasks.task(errand).state.isFinal)
      #expect(try await director.tasks.wait(for: errand).state == .done)
      #expect(!world.behaviour.deeds.contains { $0.name == "stop" })
    }
  }

  @Test("Who waited for a task goes on waiting for it after a restart of the server")
  func queueSurvives() async throws {
    try await SimulatedWorld.run(seed: 5) { world in
      let manifest = SimulatedRelease.manifest()
      _ = try await world.withDirector { director in
        let id = try await director.deploy(DeployOrder(manifest: manifest), user: "admin")
        return try await director.tasks.wait(for: id)
      }
      world.behaviour.forget()
      let tasks = try await world.survive(crashes: 12, deeds: 100) { director in
        let deploy = try await director.deploy(
          DeployOrder(manifest: SimulatedRelease.manifest(port: 81)), user: "admin")
        try await hasWeb(deploy, director, world)
        return [deploy, try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")]
      }
      #expect(tasks.map(\.state) == [.done, .done])
      for deeds in world.deeds("web") {
        #expect(deeds.last == "errand web")
        #expect(deeds.dropLast().last == "post-deploy")
      }
      try await world.checkTidy()
    }
  }
}
