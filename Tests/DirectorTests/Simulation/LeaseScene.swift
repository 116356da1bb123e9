import Releases
import Testing

@testable import Director

/// A deployment with errands, and pools with accounts and a cluster.
protocol LeaseScene {}

extension LeaseScene {
  /// Waits until a deploy waits for a group.
  func waits(_ deploy: Int, _ director: Director, _ world: SimulatedWorld) async throws {
    while try await director.tasks.task(deploy).awaitedLocks == nil { try await world.clock.sleep(.milliseconds(5)) }
  }

  static var account: ErrandLease { ErrandLease(type: "aws-account", name: "account") }

  func world(seed: UInt64, _ body: (SimulatedWorld) async throws -> Void) async throws {
    try await SimulatedWorld.run(seed: seed) { world in
      world.leases.add(
        "account1", .init(type: "aws-account", state: "free", userData: ["id": "4711", "api-key": "s3"]))
      world.leases.add("account2", .init(type: "aws-account", state: "dirty"))
      world.leases.add("cluster1", .init(type: "cluster", state: "free"))
      _ = try await world.deploy()
      world.behaviour.forget()
      try await body(world)
    }
  }

  func leasing(_ leases: ErrandLease...) -> ErrandRun {
    var run = ErrandRun()
    run.leases = leases
    return run
  }

  func run(_ director: Director, _ run: ErrandRun, _ errand: String = "smoke") async throws -> TaskRecord {
    let id = try await director.runErrand(errand, in: "data", run, user: "admin")
    return try await director.tasks.wait(for: id)
  }

  func events(_ world: SimulatedWorld, _ task: Int) async throws -> String {
    try await world.lines(task, .event).joined(separator: "\n")
  }
}
