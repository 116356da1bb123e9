import Formats
import Releases
import Surroundings
import Testing

@testable import Director

/// Errands lease what they need, hold it while they run, and hand it back, each once.
@Suite struct LeaseSimulationTests: LeaseScene {
  @Test(
    "A lease is got once and handed back once, however often the director dies",
    arguments: 1...24)
  func survives(_ number: Int) async throws {
    let seed = UInt64(900 + number)
    try await world(seed: seed) { world in
      world.leases.memory = number % 3 == 0 ? .withoutData : .whole
      world.behaviour.errand = (lines: 12, exitCode: number % 2)
      let own = number % 4 != 0
      let tasks = try await world.survive(crashes: 8, deeds: 90) { director in
        [try await director.runErrand(own ? "smoke" : "web", in: "data", leasing(Self.account), user: "admin")]
      }
      #expect(tasks.map(\.state) == [.done], "seed \(seed): \(tasks[0].result ?? "")")
      let owner = "simulation-d1/task-\(tasks[0].id)/account"
      let history = world.leases.history
      #expect(history.last == "account1 busy→dirty \(owner)", "seed \(seed)")
      if world.leases.memory == .whole {
        #expect(history == ["account1 free→busy \(owner)", "account1 busy→dirty \(owner)"], "seed \(seed)")
      } else {
        // What was got without knowing it goes back as it was, and is got again before anything is done with it.
        #expect(
          history.dropLast(2).enumerated().allSatisfy { $0.offset % 2 == 0 || $0.element.contains("busy→free") },
          "seed \(seed): \(history)")
      }
      #expect(world.behaviour.deeds.count { $0.name.hasPrefix("errand ") } == (own ? 1 : 3), "seed \(seed)")
      for environment in world.behaviour.errandEnvironments {
        #expect(environment["DROVER_LEASE_ACCOUNT_NAME"]?.string == "account1")
        #expect(environment["DROVER_LEASE_DATA_API_KEY"]?.string == "s3")
      }
      #expect(!world.behaviour.errandEnvironments.isEmpty)
      #expect(try await !events(world, tasks[0].id).contains("s3"))
      try await world.checkTidy()
    }
  }

  @Test("One that somebody ends gives back what it got, wherever it is", arguments: 1...12)
  func cancelled(_ number: Int) async throws {
    let seed = UInt64(930 + number)
    try await world(seed: seed) { world in
      world.behaviour.errand = (lines: 500, exitCode: 0)
      // Odd ones wait in line for ever.
      let want = ErrandLease(
        type: number % 2 == 0 ? "cluster" : "aws-account", state: number % 2 == 0 ? "free" : "gone")
      let tasks = try await world.survive(crashes: 4, deeds: 40) { director in
        [try await director.runErrand("smoke", in: "data", leasing(Self.account, want), user: "admin")]
      } meanwhile: { director, ids in
        try await world.clock.sleep(.milliseconds(world.clock.chance(9000)))
        try await director.tasks.cancel(ids[0])
      }
      #expect(tasks.map(\.state) == [.cancelled], "seed \(seed): \(tasks[0].result ?? "")")
      if number % 2 == 1 {
        #expect(world.leases["account1"]?.state == "free", "seed \(seed)")
        #expect(world.leases.waiting == 0, "seed \(seed)")
        #expect(world.behaviour.deeds.isEmpty, "seed \(seed)")
      }
      try await world.checkTidy()
    }
  }

  @Test("Templates and the script are given the lease, and the output of the task has nothing secret")
  func given() async throws {
    try await world(seed: 950) { world in
      try await world.withDirector { director in
        let task = try await run(director, leasing(Self.account, ErrandLease(type: "cluster", finalState: "free")))
        #expect(task.state == .done, "\(task.result ?? "")")
        let environment = try #require(world.behaviour.errandEnvironments.last)
        #expect(environment["DROVER_LEASE_ACCOUNT_TYPE"]?.string == "aws-account")
        #expect(environment["DROVER_LEASE_ACCOUNT_DATA_ID"]?.string == "4711")
        #expect(environment["DROVER_LEASE_CLUSTER_NAME"]?.string == "cluster1")
        // Of two, none is the only one.
        #expect(environment["DROVER_LEASE_NAME"] == nil)
        #expect(world.leases["account1"]?.state == "dirty")
        #expect(world.leases["cluster1"]?.state == "free")
        let all = try await events(world, task.id) + world.lines(task.id, .debug).joined()
        #expect(all.contains("leased account1"))
        #expect(!all.contains("4711"))
        try await world.checkTidy()
      }
    }
  }

  @Test("Leases of a group's job, of the manifest's errand and of the run add up by name")
  func sources() async throws {
    try await world(seed: 949) { world in
      try await world.withDirector { director in
        let manifest = SimulatedRelease.manifest().replacing(
          "{name: smoke-tests, release: data}",
          with: "{name: smoke-tests, release: data, leases: [{type: cluster, then: used}, {type: aws-account}]}")
        let deploy = try await director.deploy(
          DeployOrder(
            manifest: manifest
              + "\nerrands: [{name: smoke, leases: [{type: aws-account, to: mine}, {type: zone, as: cluster, wait: 0}]}]"
          ),
          user: "admin")
        #expect(try await director.tasks.wait(for: deploy).state == .done)
        let task = try await run(director, leasing(ErrandLease(type: "cluster", finalState: "given")))
        #expect(task.state == .done, "\(task.result ?? "")")
        #expect(
          world.leases.history.map { $0.split(separator: " ").prefix(2).joined(separator: " ") } == [
            "account1 free→mine", "cluster1 free→busy", "account1 mine→dirty", "cluster1 busy→given",
          ])
        try await world.checkTidy()
      }
    }
  }

  @Test("A type that does not exist is said at once, with those that are meant")
  func unknownType() async throws {
    try await world(seed: 951) { world in
      try await world.withDirector { director in
        let task = try await run(director, leasing(ErrandLease(type: "cluster"), ErrandLease(type: "aws-acount")))
        #expect(task.state == .error)
        #expect(
          task.result
            == "The pools have no resources of type 'aws-acount'; did you mean 'aws-account'?", "\(task.result ?? "")")
        #expect(world.behaviour.deeds.isEmpty)
        try await world.checkTidy()
      }
    }
  }

  @Test("Who waits in line says so, and gives up when its time is over, with all that it had")
  func waits() async throws {
    try await world(seed: 952) { world in
      try await world.withDirector { director in
        world.leases.take("account1", to: "dirty")
        let begun = world.clock.now
        let task = try await run(
          director,
          leasing(ErrandLease(type: "aws-account", waitSeconds: 40), ErrandLease(type: "zone", waitSeconds: 9)))
        #expect(task.state == .error)
        #expect(task.result?.hasPrefix("There was no 'aws-account' in state 'free'") == true, "\(task.result ?? "")")
        #expect((.seconds(40)...(.seconds(45))).contains(world.clock.now - begun))
        #expect(try await events(world, task.id).contains("waiting for 'aws-account'"))
        let now = try await run(director, leasing(ErrandLease(type: "aws-account", waitSeconds: 0)))
        #expect(now.result?.contains("does not wait") == true, "\(now.result ?? "")")
        try await world.checkTidy()
        // And it gets one that becomes free meanwhile.
        let id = try await director.runErrand("smoke", in: "data", leasing(Self.account), user: "admin")
        try await world.clock.sleep(.seconds(20))
        world.leases.take("account2", to: "free")
        #expect(try await director.tasks.wait(for: id).state == .done)
        #expect(world.leases["account2"]?.state == "dirty")
        try await world.checkTidy()
      }
    }
  }

  @Test("Errands that want several of one type get them one errand after the other", arguments: 1...6)
  func several(_ number: Int) async throws {
    let seed = UInt64(960 + number)
    try await world(seed: seed) { world in
      world.leases.take("account2", to: "free")
      let (first, second) = (
        ErrandLease(type: "aws-account", name: "a", finalState: "free"),
        ErrandLease(type: "aws-account", name: "b", finalState: "free")
      )
      let tasks = try await world.survive(crashes: 4, deeds: 80) { director in
        [
          try await director.runErrand("smoke", in: "data", leasing(first, second), user: "admin"),
          try await director.runErrand("web", in: "data", leasing(second, first), user: "admin"),
        ]
      }
      #expect(tasks.map(\.state) == [.done, .done], "seed \(seed): \(tasks.map { $0.result ?? "" })")
      #expect(world.leases.history.count == 8, "seed \(seed)")
      try await world.checkTidy()
    }
  }

  @Test("With --queue a run asks for a lease when those before it have ended")
  func queue() async throws {
    try await world(seed: 970) { world in
      try await world.withDirector { director in
        world.leases.take("account2", to: "free")
        world.behaviour.errand = (lines: 20, exitCode: 0)
        let first = try await director.runErrand("smoke", in: "data", leasing(Self.account), user: "admin")
        var queued = leasing(Self.account)
        queued.waitsForTurn = true
        let second = try await director.runErrand("smoke", in: "data", queued, user: "admin")
        #expect(try await director.tasks.wait(for: first).state == .done)
        #expect(try await director.tasks.wait(for: second).state == .done)
        let owners = world.leases.history.map { $0.contains("task-\(first)/") ? 1 : 2 }
        #expect(owners == [1, 1, 2, 2], "\(world.leases.history)")
        try await world.checkTidy()
      }
    }
  }

  @Test("With --when-changed it does not matter which resource is leased, and nothing is leased without a reason")
  func whenChanged() async throws {
    try await world(seed: 971) { world in
      try await world.withDirector { director in
        world.leases.take("account2", to: "free")
        var changed = leasing(Self.account)
        changed.whenChanged = true
        #expect(try await run(director, changed).state == .done)
        #expect(world.leases.history.count == 2)
        #expect(try await run(director, changed).result == "skipped - no changes detected")
        #expect(world.leases.history.count == 2)
        // A kept VM has the files of the last lease, and is given those of the next.
        var kept = leasing(Self.account)
        kept.keepAlive = true
        #expect(try await run(director, kept).state == .done)
        world.leases.take("account1", to: "free")
        #expect(try await run(director, leasing(Self.account)).state == .done)
        try await world.checkTidy()
      }
    }
  }
}
