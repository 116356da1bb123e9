import Testing

@testable import Director

/// A deployment with errands, of which deploys change one group or another.
protocol ErrandsBeside {}

extension ErrandsBeside {
  /// Changes the database, and nothing else.
  static var changesDB: DeployOrder { DeployOrder(manifest: SimulatedRelease.manifest(disk: "bigger")) }

  /// A run on one web instance.
  static func on(_ web: String) -> ErrandRun { ErrandRun(instances: [ErrandFilter(group: "web", id: web)]) }

  func deployed(seed: UInt64, _ body: @Sendable (SimulatedWorld, Director) async throws -> Void) async throws {
    try await SimulatedWorld.run(seed: seed) { world in
      try await world.withDirector { director in
        try await deploy(director, world)
        try await body(world, director)
        try await world.checkTidy()
      }
    }
  }

  func deploy(_ director: Director, _ world: SimulatedWorld) async throws {
    let id = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
    #expect(try await director.tasks.wait(for: id).state == .done)
    world.behaviour.forget()
  }

  /// Waits until something is run on an instance.
  func begins(_ deed: String, _ world: SimulatedWorld) async throws {
    while !world.behaviour.deeds.contains(where: { $0.name == deed }) {
      try await world.clock.sleep(.milliseconds(20))
    }
  }

  /// Waits until a task holds a claim.
  func has(_ claim: String, _ task: Int, _ director: Director, _ world: SimulatedWorld) async throws {
    while try await director.tasks.task(task).locks?[claim] == nil { try await world.clock.sleep(.milliseconds(5)) }
  }

  /// Waits until a deploy waits for a group.
  func waits(_ deploy: Int, _ director: Director, _ world: SimulatedWorld) async throws {
    while try await director.tasks.task(deploy).awaitedLocks == nil { try await world.clock.sleep(.milliseconds(5)) }
  }
}
