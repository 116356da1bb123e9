import Formats
import Testing

@testable import Director

/// The director dies while deploys and errands are beside each other, or wait for each other.
@Suite struct BesideErrandsCrashTests: ErrandsBeside {
  private func check(_ tasks: [TaskRecord], _ seed: UInt64, _ note: String = "") {
    for task in tasks {
      #expect(task.state == .done, "seed \(seed) \(note): \(task.type): \(task.result ?? "")")
      #expect(task.locks == nil && task.awaitedLocks == nil)
    }
  }

  /// A world that has a deployment, whose errands print so many lines.
  private func deployed(
    _ seed: UInt64, lines: Int, _ body: (SimulatedWorld) async throws -> Void
  ) async throws {
    try await SimulatedWorld.run(seed: seed) { world in
      _ = try await world.withDirector { try await deploy($0, world) }
      world.behaviour.errand = (lines: lines, exitCode: 0)
      try await body(world)
      try await world.checkTidy()
    }
  }

  /// An errand that has begun on a web instance.
  private func begun(_ director: Director, _ world: SimulatedWorld, _ run: ErrandRun = on("0")) async throws -> Int {
    let errand = try await director.runErrand("web", in: "data", run, user: "admin")
    try await begins("errand web", world)
    return errand
  }

  /// A sixth of the deeds; all of them with `1...12`.
  @Test(
    "At whatever deed of it the director dies: a deploy waits for one errand and goes on beside another",
    arguments: [1, 7])
  func everyDeed(_ part: Int) async throws {
    var first = part
    var hasDied = true
    while hasDied {
      let seed = UInt64(3000 + first)
      try await deployed(seed, lines: 5) { world in
        let made = world.cloud.madeCount
        let tasks = try await world.survive(crashes: 1, deeds: 1, first: first) { director in
          let errand = try await begun(director, world)
          let deploy = try await director.deploy(
            DeployOrder(manifest: SimulatedRelease.manifest(webs: 2, port: 81)), user: "admin")
          let smoke = try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin")
          return [errand, deploy, smoke]
        }
        check(tasks, seed, "deed \(first)")
        #expect(world.behaviour.deeds.count { $0.name == "errand web" } == 1, "deed \(first)")
        #expect(world.deeds("smoke") == [["apply", "pre-start", "post-start", "errand smoke-tests"]], "deed \(first)")
        for deeds in world.deeds("web") {
          #expect(deeds.count { $0 == "stop" } == 1, "deed \(first): \(deeds)")
          if deeds.contains("errand web") { #expect(deeds.first == "errand web", "deed \(first): \(deeds)") }
        }
        #expect(world.deeds("db") == [["post-deploy"]], "deed \(first)")
        #expect(world.cloud.madeCount == made + 1, "deed \(first)")
        hasDied = world.crashCount > 0
      }
      first += 12
    }
    #expect(first > 200, "it ended before it had begun")
  }

  @Test(
    "However often the director dies, deploys of two groups and errands on both are done, each once", arguments: 1...16)
  func often(_ number: Int) async throws {
    let seed = UInt64(3900 + number)
    try await deployed(seed, lines: 40) { world in
      let tasks = try await world.survive(crashes: 10, deeds: number % 2 == 0 ? 60 : 150) { director in
        var ids = [try await begun(director, world)]
        ids.append(try await director.deploy(Self.changesDB, user: "admin"))
        ids.append(try await director.runErrand("web", in: "data", Self.on("1"), user: "admin"))
        ids.append(
          try await director.deploy(
            DeployOrder(manifest: SimulatedRelease.manifest(port: 81, disk: "bigger", smokes: 2)), user: "admin"))
        ids.append(try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin"))
        ids.append(try await director.runErrand("web", in: "data", Self.on("2"), user: "admin"))
        return ids
      }
      check(tasks, seed)
      #expect(world.behaviour.deeds.count { $0.name == "errand web" } == 3, "seed \(seed)")
      #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == 1, "seed \(seed)")
      for group in ["web", "db"] {
        #expect(world.deeds(group).allSatisfy { $0.count { $0 == "stop" } == 1 }, "seed \(seed): \(world.deeds(group))")
      }
      #expect(world.crashCount > 2, "seed \(seed)")
    }
  }

  @Test(
    "A deploy that is ended while it waits for a group leaves nothing, however often the director dies",
    arguments: 1...10)
  func cancelled(_ number: Int) async throws {
    let seed = UInt64(3950 + number)
    try await deployed(seed, lines: 60) { world in
      let tasks = try await world.survive(crashes: 6, deeds: 40) { director in
        let errand = try await begun(director, world)
        let deploy = try await director.deploy(
          DeployOrder(manifest: SimulatedRelease.manifest(webs: 4, port: 81)), user: "admin")
        return [errand, deploy, try await director.runErrand("web", in: "data", Self.on("1"), user: "admin")]
      } meanwhile: { director, ids in
        try await waits(ids[1], director, world)
        try await world.clock.sleep(.milliseconds(world.clock.chance(3000)))
        try await director.tasks.cancel(ids[1])
      }
      #expect(tasks.map(\.state) == [.done, .cancelled, .done], "seed \(seed): \(tasks.map(\.result))")
      #expect(!world.behaviour.deeds.contains { $0.name == "stop" }, "seed \(seed)")
      #expect(try await world.records.instances(of: "data").count { $0.group == "web" } == 3, "seed \(seed)")
    }
  }

  @Test(
    "An errand that is taken up again runs on what it began with, though it is now on other groups, too",
    arguments: 1...8)
  func sameInstances(_ number: Int) async throws {
    let seed = UInt64(3970 + number)
    try await deployed(seed, lines: 150) { world in
      let job = "{name: db, release: data}"
      let manifest = SimulatedRelease.manifest().replacing(job, with: "\(job), {name: web, release: data}")
      let tasks = try await world.survive(crashes: 8, deeds: 80) { director in
        let errand = try await begun(director, world, ErrandRun())
        return [errand, try await director.deploy(DeployOrder(manifest: manifest), user: "admin")]
      }
      check(tasks, seed)
      let ran = world.behaviour.deeds.filter { $0.name == "errand web" }
      #expect(ran.count == 3 && ran.allSatisfy { $0.group == "web" }, "seed \(seed)")
      #expect(world.deeds("db").allSatisfy { $0.contains("stop") }, "seed \(seed)")
      #expect(world.crashCount > 2, "seed \(seed)")
    }
  }
}
