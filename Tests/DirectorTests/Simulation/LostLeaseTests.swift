import Formats
import Releases
import Surroundings
import Testing

@testable import Director

/// Leases that are lost, or may be, and pools that do not answer.
@Suite struct LostLeaseTests: LeaseScene {
  @Test("A lost lease ends the script, and the error says so")
  func lost() async throws {
    try await world(seed: 953) { world in
      try await world.withDirector { director in
        world.behaviour.errand = (lines: 5000, exitCode: 0)
        let id = try await director.runErrand("smoke", in: "data", leasing(Self.account), user: "admin")
        try await world.clock.sleep(.seconds(60))
        #expect(world.leases.held.keys.contains("account1"))
        world.leases.take("account1", to: "free")
        let task = try await director.tasks.wait(for: id)
        #expect(task.state == .error)
        #expect(
          task.result?.hasPrefix(
            "The errand was ended, since the lease of aws-account 'account1' was lost: owner mismatch")
            == true, "\(task.result ?? "")")
        let outcome = try #require(try await world.lines(id, .result).first.map { try JSON.parse($0) })
        #expect(outcome["failure"]?.string == "lease lost")
        #expect(outcome["exit_code"]?.int == 143)
        // It is not ours any more, and stays as it is.
        #expect(world.leases["account1"]?.state == "free")
        try await world.checkTidy()
      }
    }
  }

  @Test("What is held is told to be while another is waited for, and its loss then ends the wait")
  func heldWhileWaiting() async throws {
    try await world(seed: 957) { world in
      world.leases.take("cluster1", to: "dirty")
      try await world.withDirector { director in
        let run = leasing(Self.account, ErrandLease(type: "cluster"))
        let id = try await director.runErrand("smoke", in: "data", run, user: "admin")
        try await world.clock.sleep(.seconds(3600))
        #expect(try #require(world.leases.silence(of: "account1")) < .seconds(31))
        world.leases.take("account1", to: "free")
        let task = try await director.tasks.wait(for: id)
        #expect(task.state == .error)
        #expect(task.result?.contains("'account1' was lost") == true, "\(task.result ?? "")")
        #expect(world.behaviour.deeds.isEmpty)
        #expect(world.leases.waiting == 0)
        #expect(world.leases.held.isEmpty)
        try await world.checkTidy()
      }
    }
  }

  @Test("A lease that is lost while its errand waits for a deploy ends the wait, and the deploy knows nothing of it")
  func lostWhileLocked() async throws {
    try await world(seed: 959) { world in
      world.behaviour.errand = (lines: 20_000, exitCode: 0)
      try await world.withDirector { director in
        // An errand that the deploy waits for, and a deploy that the leasing errand waits for.
        let first = try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")
        try await world.clock.sleep(.seconds(10))
        let deploy = try await director.deploy(
          DeployOrder(manifest: SimulatedRelease.manifest(port: 81, smokes: 2)), user: "admin")
        try await world.clock.sleep(.seconds(10))
        let id = try await director.runErrand("smoke", in: "data", leasing(Self.account), user: "admin")
        try await world.clock.sleep(.seconds(60))
        #expect(try await events(world, id).contains("Waiting for task \(deploy)"))
        world.leases.take("account1", to: "free")
        let task = try await director.tasks.wait(for: id)
        #expect(task.state == .error)
        #expect(task.result?.contains("'account1' was lost") == true, "\(task.result ?? "")")
        #expect(try await !director.tasks.task(first).state.isFinal)
        try await director.tasks.cancel(first)
        #expect(try await director.tasks.wait(for: deploy).state == .done)
        try await world.checkTidy()
      }
    }
  }

  @Test("A director that was started again begins nothing with a lease before the pools say that it is held")
  func confirmed() async throws {
    try await world(seed: 958) { world in
      world.leases.take("cluster1", to: "dirty")
      let id = try await world.withDirector { director in
        let run = leasing(Self.account, ErrandLease(type: "cluster"))
        let id = try await director.runErrand("smoke", in: "data", run, user: "admin")
        try await world.clock.sleep(.seconds(60))
        return id
      }
      world.leases.take("account1", to: "free")
      world.leases.take("cluster1", to: "free")
      let machines = world.cloud.vms.count
      let task = try await world.withDirector { try await $0.tasks.wait(for: id) }
      #expect(task.state == .error)
      #expect(task.result?.contains("'account1' was lost") == true, "\(task.result ?? "")")
      #expect(world.behaviour.deeds.isEmpty)
      #expect(world.cloud.vms.count == machines)
      // Nothing was done with the other one.
      #expect(world.leases["cluster1"]?.state == "free")
      try await world.checkTidy()
    }
  }

  @Test("A lease that was lost while no director ran is noticed by the next one")
  func lostMeanwhile() async throws {
    try await world(seed: 954) { world in
      world.behaviour.errand = (lines: 5000, exitCode: 0)
      let id = try await world.withDirector { director in
        let id = try await director.runErrand("smoke", in: "data", leasing(Self.account), user: "admin")
        try await world.clock.sleep(.seconds(60))
        return id
      }
      world.leases.take("account1", to: "free")
      let task = try await world.withDirector { try await $0.tasks.wait(for: id) }
      #expect(task.state == .error)
      #expect(task.result?.contains("was lost") == true, "\(task.result ?? "")")
      #expect(world.behaviour.deeds.count { $0.name.hasPrefix("errand ") } == 1)
      try await world.checkTidy()
    }
  }

  @Test("Pools that are away for a while are waited for, and the lease goes on")
  func away() async throws {
    try await world(seed: 955) { world in
      try await world.withDirector { director in
        world.behaviour.errand = (lines: 1000, exitCode: 0)
        world.leases.isAway = true
        let id = try await director.runErrand("smoke", in: "data", leasing(Self.account), user: "admin")
        try await world.clock.sleep(.seconds(30))
        world.leases.isAway = false
        try await world.clock.sleep(.seconds(30))
        world.leases.isAway = true
        try await world.clock.sleep(.seconds(60))
        world.leases.isAway = false
        try await world.clock.sleep(.seconds(35))
        #expect(try #require(world.leases.silence(of: "account1")) < .seconds(31))
        #expect(try await director.tasks.wait(for: id).state == .done)
        let events = try await events(world, id)
        #expect(events.contains("the pools cannot be asked; trying again"))
        #expect(events.contains("cannot be told that aws-account 'account1' is still leased"))
        #expect(events.contains("can be reached again"))
        try await world.checkTidy()
      }
    }
  }

  @Test("After a silence in which the lease may have been given to others, the script is ended")
  func silentForLong() async throws {
    try await world(seed: 956) { world in
      try await world.withDirector { director in
        world.behaviour.errand = (lines: 100_000, exitCode: 0)
        let id = try await director.runErrand("smoke", in: "data", leasing(Self.account), user: "admin")
        try await world.clock.sleep(.seconds(60))
        world.leases.isAway = true
        let task = try await director.tasks.wait(for: id)
        #expect(task.state == .error)
        #expect(task.result?.contains("may be somebody else's now") == true, "\(task.result ?? "")")
        #expect(try await events(world, id).contains("the pools take it back by themselves"))
        world.leases.isAway = false
        world.leases.take("account1", to: "dirty")
        try await world.checkTidy()
      }
    }
  }
}
