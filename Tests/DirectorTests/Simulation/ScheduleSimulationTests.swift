import Documents
import Formats
import Surroundings
import Testing

@testable import Director

/// Errands that run by a schedule, over days of virtual time.
@Suite struct ScheduleSimulationTests {
  private func manifest(_ schedule: String, errand: String = "web") -> String {
    SimulatedRelease.manifest(webs: 1)
      + "\nerrands: [{name: tick, errand: \(errand), schedule: \(schedule)}]"
  }

  private func deploy(_ manifest: String, _ director: Director) async throws {
    let id = try await director.deploy(DeployOrder(manifest: manifest), user: "ann")
    let task = try await director.tasks.wait(for: id)
    #expect(task.state == .done, "\(task.result ?? "")")
  }

  private func deployed(
    seed: UInt64, _ manifest: String, _ body: (SimulatedWorld, Director) async throws -> Void
  ) async throws {
    try await SimulatedWorld.run(seed: seed) { world in
      try await world.withDirector { director in
        try await deploy(manifest, director)
        world.behaviour.forget()
        try await body(world, director)
      }
      try await world.checkTidy()
    }
  }

  /// The runs that schedules have started, in order.
  private func runs(_ world: SimulatedWorld) async throws -> [TaskRecord] {
    try await DocumentCollection<TaskRecord>(world.store, kind: "task").list().map(\.body).filter {
      $0.cause != nil
    }
  }

  private func only(_ director: Director) async throws -> Value {
    try #require(try await director.schedules(deployment: "data").array?.first)
  }

  private func seconds(_ world: SimulatedWorld) -> Int { world.surroundings.now().seconds }

  @Test("Every tick of some days has one run, started within a second; old runs are forgotten")
  func days() async throws {
    try await deployed(seed: 3001, manifest("{cron: '0 */2 * * *', keep_last: 5}")) {
      world, director in
      var seen: [Int: Int] = [:]
      for _ in 0..<36 {
        try await world.clock.sleep(.seconds(7200))
        for run in try await runs(world) {
          let tick = try #require(run.cause?.tick)
          #expect(tick % 7200 == 0)
          #expect(seen[tick] == nil || seen[tick] == run.id, "two runs for one tick")
          #expect(0...1 ~= run.createdAt - tick)
          seen[tick] = run.id
        }
      }
      #expect(seen.count == 36)
      #expect(world.behaviour.deeds.count { $0.name == "errand web" } == 36)
      let kept = try await runs(world)
      #expect(kept.count == 5 && kept.allSatisfy { $0.state == .done && $0.user == "drover" })
      let journals = try await world.journals.list(under: "tasks")
      for id in seen.values {
        #expect(journals.contains { $0.hasPrefix("tasks/\(id)/") } == kept.contains { $0.id == id })
      }
      let listed = try await only(director)
      #expect(listed["runs"]?.array?.count == 5)
      #expect(listed["last_run"]?["exit_code"]?.int == 0)
      #expect(listed["next_run"]?.int == (seconds(world) / 7200 + 1) * 7200)
      let shown = try await director.errandRuns(deployment: "data", errand: "web", limit: 1)
      #expect(shown.first?.task.cause?.text(parent: nil) == "schedule tick")
    }
  }

  @Test("What a run's script does is the run's result, and nothing else")
  func failures() async throws {
    try await deployed(seed: 3002, manifest("'*/30 * * * *'", errand: "smoke")) { world, director in
      world.behaviour.errand = (lines: 1, exitCode: 9)
      try await world.clock.sleep(.seconds(7500))
      #expect(try await runs(world).count == 4)
      #expect(try await only(director)["last_run"]?["exit_code"]?.int == 9)
    }
  }

  @Test(
    "When a run has not ended at the next tick, the tick is left out",
    arguments: ["skip", "queue", "replace"])
  func overlap(_ policy: String) async throws {
    try await deployed(seed: 3003, manifest("{cron: '* * * * *', overlap: \(policy)}")) {
      world, director in
      // About 150 seconds.
      world.behaviour.errand = (lines: 750, exitCode: 0)
      for _ in 0..<20 {
        try await world.clock.sleep(.seconds(60))
        let open = try await runs(world).filter { !$0.state.isFinal && $0.state != .cancelling }
        #expect(open.count <= (policy == "queue" ? 2 : 1))
      }
      try await director.pauseSchedule("tick", in: "data", user: "ann")
      for run in try await runs(world) { _ = try await director.tasks.wait(for: run.id) }
      let ended = try await runs(world)
      let states = Dictionary(grouping: ended, by: \.state).mapValues(\.count)
      switch policy {
      case "replace":
        #expect(ended.count == 20)
        #expect(states == [.cancelled: 19, .done: 1])
      default:
        #expect(7...10 ~= ended.count, "\(ended.count)")
        #expect(states == [.done: ended.count])
        #expect(try await only(director)["skipped"]?["reason"]?.string?.isEmpty == false)
      }
      #expect(world.behaviour.deeds.count { $0.name == "errand web" } <= ended.count)
    }
  }

  @Test(
    "A schedule is paused, resumed, run at once; by its manifest, too; and goes with its deployment"
  )
  func commands() async throws {
    try await deployed(seed: 3004, manifest("{cron: '0 * * * *', paused: true}")) {
      world, director in
      try await world.clock.sleep(.seconds(7300))
      #expect(try await runs(world).isEmpty)
      #expect(try await only(director)["paused"]?.bool == true)
      let now = try await director.runSchedule("tick", in: "data", user: "bob")
      let run = try await director.tasks.wait(for: now)
      #expect(run.state == .done && run.user == "bob" && run.cause?.kind == .demand)
      // What has passed meanwhile is not made up for.
      try await director.resumeSchedule("tick", in: "data")
      try await world.clock.sleep(.seconds(600))
      #expect(try await runs(world).count == 1)
      try await world.clock.sleep(.seconds(3600))
      #expect(try await runs(world).count == 2)
      try await director.pauseSchedule("tick", in: "data", user: "bob")
      try await world.clock.sleep(.seconds(7200))
      #expect(try await runs(world).count == 2)
      #expect(try await only(director)["paused_by"]?.string == "bob")
      try await director.resumeSchedule("tick", in: "data")
      let failure = await #expect(throws: DirectorFailure.self) {
        try await director.pauseSchedule("tock", in: "data", user: "bob")
      }
      #expect(failure?.description.contains("did you mean 'tick'?") == true)

      // Another manifest, another schedule; ticks count from its deploy on.
      try await deploy(manifest("'*/15 * * * *'"), director)
      try await world.clock.sleep(.seconds(3600))
      #expect(try await runs(world).count == 6)
      let records = world.records.schedules
      try await deploy(SimulatedRelease.manifest(webs: 1), director)
      try await world.clock.sleep(.seconds(3600))
      #expect(try await runs(world).count == 6)
      #expect(try await records.list().isEmpty)

      try await deploy(manifest("'*/15 * * * *'"), director)
      try await world.clock.sleep(.seconds(900))
      #expect(try await runs(world).count == 7)
      let deletion = try await director.deleteDeployment("data", force: false, user: "ann")
      #expect(try await director.tasks.wait(for: deletion).state == .done)
      #expect(try await records.list().isEmpty)
      try await world.clock.sleep(.seconds(3600))
      #expect(try await runs(world).count == 7)
    }
  }

  @Test("A manifest that lets a schedule go on makes up for nothing, and runs on demand are forgotten like others")
  func unpaused() async throws {
    try await deployed(seed: 3005, manifest("{cron: '0 * * * *', missed: run-once, keep_last: 2, paused: true}")) {
      world, director in
      for _ in 0..<5 {
        let id = try await director.runSchedule("tick", in: "data", user: "bob")
        #expect(try await director.tasks.wait(for: id).state == .done)
      }
      #expect(try await runs(world).count == 2)
      try await world.clock.sleep(.seconds(3 * 3600))
      try await deploy(manifest("{cron: '0 * * * *', missed: run-once, keep_last: 9}"), director)
      try await world.clock.sleep(.seconds(60))
      #expect(try await runs(world).count == 2)
      try await world.clock.sleep(.seconds(3600))
      #expect(try await runs(world).count == 3)
    }
  }

  @Test("What cannot be kept is refused before anything is done")
  func refusals() async throws {
    try await SimulatedWorld.run(seed: 3005) { world in
      try await world.withDirector { director in
        for (text, expected) in [
          (
            manifest("{cron: '@daily', time_zone: Europe/Berln}"),
            "time zone 'Europe/Berln': unknown"
          ),
          (
            manifest("{cron: '@daily', time_zone: ../etc/passwd}"),
            "time zone '../etc/passwd': unknown"
          ),
          (manifest("'0 0 30 2 *'"), "it never comes"),
        ] {
          let error = await #expect(throws: DroverError.self) {
            _ = try await director.deploy(DeployOrder(manifest: text), user: "ann")
          }
          #expect(error?.message.contains(expected) == true, "\(error?.message ?? "")")
        }
        let unknown = try await director.deploy(
          DeployOrder(manifest: manifest("'@daily'", errand: "nothing")), user: "ann")
        let task = try await director.tasks.wait(for: unknown)
        #expect(task.result?.contains("'tick' is to run errand 'nothing'") == true)
        #expect(world.cloud.vms.isEmpty)
      }
    }
  }

  /// A director that lives for a time, or dies earlier. Returns from when to when it lived.
  private func live(_ world: SimulatedWorld, for time: Duration, deeds: Int?) async throws
    -> ClosedRange<Int>
  {
    let fuse = Fuse(world.clock)
    let director = try await world.director(fuse)
    try await director.start()
    let begin = seconds(world)
    if let deeds { fuse.arm(deeds: deeds, isLastDone: world.clock.chance(2) == 0) }
    let surroundings = world.surroundings
    let killer = surroundings.task { () async -> Int? in
      guard await fuse.waitUntilBlown() else { return nil }
      let end = surroundings.now().seconds
      await director.stop()
      fuse.release()
      return end
    }
    try await world.clock.sleep(time)
    let lives = fuse.disarm()
    let died = await killer.value
    let end = seconds(world)
    if lives { await director.stop() }
    fuse.release()
    return begin...(died ?? end)
  }

  @Test(
    "However often the director dies, no tick has two runs, and none is lost while it lives",
    arguments: 1...20)
  func survives(_ number: Int) async throws {
    let seed = UInt64(3100 + number)
    let missed = number % 2 == 0 ? "run-once" : "skip"
    try await SimulatedWorld.run(seed: seed) { world in
      let text = manifest(
        "{cron: '0 * * * *', missed: \(missed), keep_last: 1000, overlap: queue, jitter: \(number % 3 * 10)}")
      try await world.withDirector { try await deploy(text, $0) }
      world.behaviour.forget()
      var lives: [ClosedRange<Int>] = []
      for round in 0..<25 {
        let time = Duration.seconds(1800 + world.clock.chance(5 * 3600))
        lives.append(
          try await live(
            world, for: time, deeds: round % 4 == 3 ? nil : 1 + world.clock.chance(160)))
        // Nobody is there for a while.
        if world.clock.chance(2) == 0 {
          try await world.clock.sleep(.seconds(world.clock.chance(3 * 3600)))
        }
      }
      _ = try await live(world, for: .seconds(100), deeds: nil)
      let runs = try await runs(world)
      #expect(runs.allSatisfy { $0.state == .done }, "seed \(seed)")
      let ticks = runs.compactMap(\.cause?.tick)
      #expect(Set(ticks).count == ticks.count, "seed \(seed): a tick has two runs")
      #expect(world.behaviour.deeds.count { $0.name == "errand web" } == runs.count, "seed \(seed)")
      // All ticks at which a director was there, and some more where they are made up for.
      let alive = lives.flatMap { life in
        stride(from: (life.lowerBound / 3600 + 1) * 3600, through: life.upperBound - 30, by: 3600)
      }
      #expect(
        Set(alive).isSubset(of: ticks),
        "seed \(seed): lost \(Set(alive).subtracting(ticks).sorted())")
      #expect(alive.count > 10, "seed \(seed)")
      let others = runs.filter { run in !lives.contains { $0.contains(run.cause?.tick ?? 0) } }
      if missed == "skip" {
        #expect(others.allSatisfy { $0.createdAt - ($0.cause?.tick ?? 0) <= 90 }, "seed \(seed)")
      }
      try await world.checkTidy()
    }
  }

  @Test("Two servers on one store start one run for each tick", arguments: 1...5)
  func twoServers(_ number: Int) async throws {
    try await SimulatedWorld.run(seed: UInt64(3200 + number)) { world in
      let text = manifest("{cron: '*/10 * * * *', keep_last: 1000}")
      try await world.withDirector { try await deploy(text, $0) }
      world.behaviour.forget()
      let first = try await world.director(Fuse(world.clock))
      let second = try await world.director(Fuse(world.clock))
      try await first.start()
      try await second.start()
      try await world.clock.sleep(.seconds(86_400))
      await first.stop()
      await second.stop()
      let runs = try await runs(world)
      #expect(runs.count == 144)
      #expect(Set(runs.compactMap(\.cause?.tick)).count == 144)
      #expect(runs.allSatisfy { $0.state == .done })
      #expect(world.behaviour.deeds.count { $0.name == "errand web" } == 144)
    }
  }

  @Test("A thousand idle schedules cost nothing but a look at the clock every minute")
  func idle() async throws {
    try await SimulatedWorld.run(seed: 3300) { world in
      let entries = (0..<1000).map { "- {name: s\($0), errand: web, schedule: '0 0 1 1 *'}" }
      let text =
        SimulatedRelease.manifest(webs: 1) + "\nerrands:\n" + entries.joined(separator: "\n")
      try await world.withDirector { try await deploy(text, $0) }
      let fuse = Fuse(world.clock)
      let director = try await world.director(fuse)
      try await director.start()
      try await world.clock.sleep(.seconds(60))
      #expect(try await world.records.schedules.list().count == 1000)
      // Any deed on the store, the bus or the cloud would kill it.
      fuse.arm(deeds: 1, isLastDone: false)
      try await world.clock.sleep(.seconds(7 * 86_400))
      #expect(fuse.disarm())
      await director.stop()
      try await world.checkTidy()
    }
  }
}
