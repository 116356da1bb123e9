import Documents
import Formats
import Testing

@testable import Director

/// `start`, `stop`, `restart` and `recreate`, by directors that may die.
@Suite struct StateSimulationTests {
  private static let stopped = ["pre-stop", "drain", "stop", "post-stop"]
  private static let started = ["apply", "pre-start", "post-start"]

  private func change(
    _ world: SimulatedWorld, _ target: String, _ action: StateChange.Action, crashes: Int = 0, deploy: Bool = false,
    _ more: (inout Director.StateOrder) -> Void = { _ in }
  ) async throws {
    var order = Director.StateOrder(StateChange(target: try InstanceSelector(target), action: action))
    more(&order)
    world.behaviour.forget()
    let tasks = try await world.survive(crashes: crashes, deeds: 80) { [order] director in
      if deploy {
        return [try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")]
      }
      return [try await director.changeState(of: "data", order, user: "admin")]
    }
    #expect(tasks.map(\.state) == [.done], "\(target) \(action): \(tasks[0].result ?? "")")
    try await world.checkTidy()
  }

  private func deploy(_ world: SimulatedWorld) async throws {
    try await world.withDirector { director in
      let id = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
      #expect(try await director.tasks.wait(for: id).state == .done)
    }
  }

  @Test(
    "A group is stopped and stays so through a deploy, until it is started; each script runs once", arguments: 1...6)
  func stopAndStart(_ number: Int) async throws {
    try await SimulatedWorld.run(seed: UInt64(40 + number)) { world in
      try await deploy(world)
      let made = world.cloud.madeCount
      try await change(world, "web", .stopped, crashes: number)
      #expect(world.deeds("web") == Array(repeating: Self.stopped, count: 3))
      #expect(world.deeds("db") == [["post-deploy"]])
      #expect(
        try await world.records.instances(of: "data").filter { $0.group == "web" }.allSatisfy { $0.state == .stopped })
      try await change(world, "*", .started, deploy: true)
      #expect(world.behaviour.deeds.isEmpty)
      try await change(world, "web", .stopped)
      #expect(world.behaviour.deeds.isEmpty)
      try await change(world, "web", .started, crashes: number)
      #expect(world.deeds("web") == Array(repeating: Self.started + ["post-deploy"], count: 3))
      #expect(world.cloud.madeCount == made, "VMs were made anew")
    }
  }

  @Test("One instance is restarted, recreated, or deleted with its disk kept, and comes back", arguments: 1...5)
  func oneInstance(_ number: Int) async throws {
    try await SimulatedWorld.run(seed: UInt64(50 + number)) { world in
      try await deploy(world)
      let disk = try await world.records.instances(of: "data").flatMap(\.disks).map(\.cid)
      let made = world.cloud.madeCount
      try await change(world, "db/0", .restart, crashes: number)
      #expect(world.deeds("db") == [Self.stopped + Self.started + ["post-deploy"]])
      #expect(world.deeds("web") == Array(repeating: ["post-deploy"], count: 3))
      #expect(world.cloud.madeCount == made)
      try await change(world, "db/0", .recreate, crashes: number)
      #expect(world.deeds("db") == [Self.stopped + Self.started + ["post-deploy"]])
      #expect(world.cloud.madeCount == made + 1)
      try await change(world, "db", .detached, crashes: number)
      #expect(world.deeds("db") == [Self.stopped])
      #expect(world.cloud.vms.count == 3)
      try await change(world, "db", .started, crashes: number)
      #expect(world.deeds("db") == [Self.started + ["post-deploy"]])
      #expect(world.cloud.vms.count == 4)
      #expect(try await world.records.instances(of: "data").flatMap(\.disks).map(\.cid) == disk)
    }
  }

  @Test("Without converging, the one instance is touched and no other, also when others are not as they should be")
  func alone() async throws {
    try await SimulatedWorld.run(seed: 61) { world in
      try await deploy(world)
      let web = try await world.records.instances(of: "data").filter { $0.group == "web" }
      try await world.records.instances.update(web[1].documentName) { $0.updateCompleted = false }
      try await change(world, "web/\(web[0].id)", .restart) {
        $0.isAlone = true
        $0.skipDrain = true
      }
      #expect(Set(world.behaviour.deeds.map(\.instance)) == [web[0].id])
      #expect(world.deeds("web") == [["stop", "post-stop"] + Self.started])
    }
  }

  @Test("Groups and instances that are not there, and errands, are refused before a task is made")
  func refusals() async throws {
    try await SimulatedWorld.run(seed: 62) { world in
      try await deploy(world)
      try await world.withDirector { director in
        let tasks = try await director.tasks.tasks().count
        for (target, isAlone, number) in [
          ("none", false, 70009), ("web/9", false, 70001), ("web", true, 40000), ("smoke", false, 40000),
        ] {
          var order = Director.StateOrder(StateChange(target: try InstanceSelector(target), action: .restart))
          order.isAlone = isAlone
          let error = await #expect(throws: (any Error).self) {
            _ = try await director.changeState(of: "data", order, user: "admin")
          }
          #expect(error.map { DirectorFailure.describing($0).number } == number, "\(target)")
        }
        #expect(try await director.tasks.tasks().count == tasks)
      }
    }
  }
}
