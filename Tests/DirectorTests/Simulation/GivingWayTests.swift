import Releases
import Testing

@testable import Director

/// A run that holds a lease and waits for a deploy, which waits for an errand that needs such a lease.
@Suite struct GivingWayTests: LeaseScene {
  /// It changes what both errands run on.
  private static let manifest =
    SimulatedRelease.manifest(port: 81, smokes: 2)
      + """

      errands:
      - name: check
        errand: smoke
        on: [post-deploy]
        required: true
        leases: [{type: aws-account, as: account, then: free}]
      """

  /// An errand that the deploy waits for, the deploy, and a run that waits for the deploy.
  private func start(_ director: Director, _ world: SimulatedWorld) async throws -> [Int] {
    let first = try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")
    let deploy = try await director.deploy(DeployOrder(manifest: Self.manifest), user: "admin")
    try await waits(deploy, director, world)
    let want = ErrandLease(type: "aws-account", name: "account", finalState: "free")
    return [first, deploy, try await director.runErrand("smoke", in: "data", leasing(want), user: "admin")]
  }

  private func runs(_ world: SimulatedWorld) -> Int {
    world.behaviour.deeds.count { $0.name == "errand smoke-tests" }
  }

  @Test("The run hands its lease back unused to whom it waits for, and gets it again afterwards")
  func givesWay() async throws {
    try await world(seed: 971) { world in
      world.behaviour.errand = (lines: 2000, exitCode: 0)
      try await world.withDirector { director in
        let ids = try await start(director, world)
        var tasks: [TaskRecord] = []
        for id in ids { tasks.append(try await director.tasks.wait(for: id)) }
        #expect(tasks.map(\.state) == [.done, .done, .done], "\(tasks.map(\.result))")
        let child = try #require(try await director.tasks.tasks().first { $0.parent == ids[1] })
        func owner(_ task: Int) -> String { "simulation-d1/task-\(task)/account" }
        #expect(
          world.leases.history == [
            "account1 free→busy \(owner(ids[2]))", "account1 busy→free \(owner(ids[2]))",
            "account1 free→busy \(owner(child.id))", "account1 busy→free \(owner(child.id))",
            "account1 free→busy \(owner(ids[2]))", "account1 busy→free \(owner(ids[2]))",
          ])
        #expect(runs(world) == 2)
        #expect(
          try await events(world, ids[2]).contains(
            "Handing back what was leased: task \(child.id), for whose end this one waits, needs a lease of type "
              + "'aws-account'"))
        try await world.checkTidy()
      }
    }
  }

  @Test("However often the director dies meanwhile", arguments: 1...10)
  func survives(_ number: Int) async throws {
    let seed = UInt64(972 + number)
    try await world(seed: seed) { world in
      world.leases.memory = number % 3 == 0 ? .withoutData : .whole
      world.behaviour.errand = (lines: 200, exitCode: 0)
      let tasks = try await world.survive(crashes: 8, deeds: 120) { try await start($0, world) }
      #expect(tasks.map(\.state) == [.done, .done, .done], "seed \(seed): \(tasks.map(\.result))")
      #expect(runs(world) == 2, "seed \(seed)")
      #expect(world.leases.held.isEmpty && world.leases.waiting == 0, "seed \(seed)")
      #expect(world.leases["account1"]?.state == "free", "seed \(seed)")
      try await world.checkTidy()
    }
  }

  @Test("A run that waits for a deploy which needs nothing of the kind keeps its lease")
  func keeps() async throws {
    try await world(seed: 970) { world in
      world.behaviour.errand = (lines: 2000, exitCode: 0)
      try await world.withDirector { director in
        let first = try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")
        let deploy = try await director.deploy(
          DeployOrder(manifest: SimulatedRelease.manifest(port: 81, smokes: 2)), user: "admin")
        try await waits(deploy, director, world)
        let id = try await director.runErrand("smoke", in: "data", leasing(Self.account), user: "admin")
        #expect(try await director.tasks.wait(for: id).state == .done)
        #expect(try await director.tasks.task(first).state == .done)
        #expect(world.leases.history.count == 2)
        try await world.checkTidy()
      }
    }
  }
}
