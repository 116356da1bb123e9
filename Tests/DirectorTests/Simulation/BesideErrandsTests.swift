import Formats
import Testing

@testable import Director

/// Deploys beside errands on groups that they do not change (design D8).
@Suite struct BesideErrandsTests: ErrandsBeside {
  @Test("A deploy of one group goes on beside an errand on another, whose jobs are told and not stopped")
  func otherGroup() async throws {
    try await deployed(seed: 1001) { world, director in
      world.behaviour.errand = (lines: 400, exitCode: 0)
      let errand = try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")
      try await begins("errand web", world)
      let deploy = try await director.deploy(Self.changesDB, user: "admin")
      #expect(try await director.tasks.wait(for: deploy).state == .done)
      #expect(try await !director.tasks.task(errand).state.isFinal, "the errand was waited for")
      #expect(try await !world.lines(deploy, .event).contains { $0.contains("Waiting for") })
      #expect(world.deeds("db").allSatisfy { $0.contains("stop") && $0.last == "post-deploy" })
      #expect(world.deeds("web") == Array(repeating: ["errand web", "post-deploy"], count: 3))
      #expect(try await director.tasks.wait(for: errand).state == .done)
    }
  }

  @Test("A deploy of a group goes on beside an errand on a VM of its own, which it leaves alone")
  func ownVM() async throws {
    try await deployed(seed: 1002) { world, director in
      world.behaviour.errand = (lines: 400, exitCode: 0)
      let errand = try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin")
      try await begins("errand smoke-tests", world)
      let deploy = try await director.deploy(
        DeployOrder(manifest: SimulatedRelease.manifest(webs: 4, port: 81)), user: "admin")
      #expect(try await director.tasks.wait(for: deploy).state == .done)
      #expect(try await !director.tasks.task(errand).state.isFinal, "the errand was waited for")
      #expect(try await director.tasks.wait(for: errand).state == .done)
      #expect(world.deeds("smoke") == [["apply", "pre-start", "post-start", "errand smoke-tests"]])
    }
  }

  @Test("Errands are begun beside a deploy of another group, and run by what their group is")
  func duringDeploy() async throws {
    try await deployed(seed: 1003) { world, director in
      let deploy = try await director.deploy(Self.changesDB, user: "admin")
      try await has("group:data/db", deploy, director, world)
      let errands = [
        try await director.runErrand("web", in: "data", ErrandRun(), user: "admin"),
        try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin"),
      ]
      try await begins("errand web", world)
      #expect(try await !director.tasks.task(deploy).state.isFinal)
      for task in errands + [deploy] { #expect(try await director.tasks.wait(for: task).state == .done) }
      #expect(world.behaviour.deeds.count { $0.name == "errand web" } == 3)
      #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == 1)
    }
  }

  @Test("A deploy that changes an errand's group waits for it, and decides anew what is to be done")
  func plansAgain() async throws {
    try await deployed(seed: 1004) { world, director in
      world.behaviour.errand = (lines: 30, exitCode: 0)
      let errand = try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin")
      try await begins("errand smoke-tests", world)
      let deploy = try await director.deploy(
        DeployOrder(manifest: SimulatedRelease.manifest(port: 81, smokes: 2)), user: "admin")
      try await waits(deploy, director, world)
      #expect(!world.behaviour.deeds.contains { $0.name == "stop" }, "it began with one group before it had all")
      #expect(try await director.tasks.wait(for: deploy).state == .done)
      #expect(try await director.tasks.task(errand).state == .done)
      let events = try await world.lines(deploy, .event)
      #expect(events.count { $0.contains("Waiting for task \(errand)") } == 1)
      #expect(events.contains { $0.contains("Preparing deployment again") })
      #expect(try await world.records.instances(of: "data").count { $0.group == "smoke" } == 2)
    }
  }

  @Test("A dry run waits for no errand")
  func dryRun() async throws {
    try await deployed(seed: 1005) { world, director in
      world.behaviour.errand = (lines: 400, exitCode: 0)
      let errand = try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")
      try await begins("errand web", world)
      var order = DeployOrder(manifest: SimulatedRelease.manifest(port: 81))
      order.dryRun = true
      let deploy = try await director.deploy(order, user: "admin")
      #expect(try await director.tasks.wait(for: deploy).state == .done)
      #expect(try await !director.tasks.task(errand).state.isFinal)
      #expect(try await world.lines(deploy, .result).contains { $0.contains("update instance group web") })
      #expect(try await director.tasks.wait(for: errand).state == .done)
    }
  }

  @Test("Who comes after a deploy that waits for a group waits for it, until somebody ends it")
  func cancelledDeploy() async throws {
    try await deployed(seed: 1006) { world, director in
      world.behaviour.errand = (lines: 100, exitCode: 0)
      let first = try await director.runErrand("web", in: "data", Self.on("0"), user: "admin")
      try await begins("errand web", world)
      let deploy = try await director.deploy(
        DeployOrder(manifest: SimulatedRelease.manifest(port: 81)), user: "admin")
      try await waits(deploy, director, world)
      let second = try await director.runErrand("web", in: "data", Self.on("1"), user: "admin")
      let third = try await director.runErrand("web", in: "data", Self.on("2"), user: "admin")
      try await world.clock.sleep(.seconds(1))
      #expect(try await world.lines(second, .event).contains { $0.contains("Waiting for task \(deploy)") })
      try await director.tasks.cancel(third)
      #expect(try await director.tasks.wait(for: third).state == .cancelled)
      #expect(try await director.tasks.task(second).state == .queued)
      try await director.tasks.cancel(deploy)
      #expect(try await director.tasks.wait(for: deploy).state == .cancelled)
      while world.behaviour.runningNow < 2 { try await world.clock.sleep(.milliseconds(20)) }
      for task in [first, second] { #expect(try await director.tasks.wait(for: task).state == .done) }
      #expect(!world.behaviour.deeds.contains { $0.name == "stop" })
      #expect(await director.tasks.heldLocks.isEmpty)
      // Nothing of it is left that would be in anybody's way.
      let again = try await director.deploy(
        DeployOrder(manifest: SimulatedRelease.manifest(port: 81)), user: "admin")
      #expect(try await director.tasks.wait(for: again).state == .done)
    }
  }

  @Test("A deletion that waits for a deploy, and an errand that waits for both, are in no circle with it")
  func noCircle() async throws {
    try await deployed(seed: 1007) { world, director in
      world.behaviour.errand = (lines: 30, exitCode: 0)
      let first = try await director.runErrand("web", in: "data", Self.on("0"), user: "admin")
      try await begins("errand web", world)
      let deploy = try await director.deploy(
        DeployOrder(manifest: SimulatedRelease.manifest(port: 81)), user: "admin")
      // All of it is claimed before the deploy knows which groups it changes.
      let deletion = try await director.deleteDeployment("data", force: false, user: "admin")
      let second = try await director.runErrand("web", in: "data", Self.on("1"), user: "admin")
      for task in [first, deploy, deletion] { #expect(try await director.tasks.wait(for: task).state == .done) }
      // It may have had its turn before or after the deletion.
      _ = try await director.tasks.wait(for: second)
      #expect(world.cloud.vms.isEmpty)
    }
  }

  @Test("Errands that a deploy starts run on groups that it does not change, beside others there, or after them")
  func triggers() async throws {
    try await deployed(seed: 1008) { world, director in
      world.behaviour.errand = (lines: 100, exitCode: 0)
      let others = [
        try await director.runErrand("web", in: "data", Self.on("0"), user: "admin"),
        try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin"),
      ]
      try await begins("errand web", world)
      var order = Self.changesDB
      order.manifest += """

        errands:
        - {name: own, errand: smoke, on: [post-deploy], required: true}
        - {name: fresh, errand: web, on: [post-recreate], required: true}
        - {name: tell, errand: web, on: [post-deploy]}
        """
      order.recreate = false
      let deploy = try await director.deploy(order, user: "admin")
      #expect(try await director.tasks.wait(for: deploy).state == .done)
      for task in try await director.tasks.tasks() {
        #expect(try await director.tasks.wait(for: task.id).state == .done, "\(task.description)")
      }
      let children = try await director.tasks.tasks { $0.parent == deploy }.sorted { $0.id < $1.id }
      #expect(children.map(\.cause?.name) == ["own", "tell"])
      // The same instance has one run at a time.
      #expect(
        try await world.lines(children[0].id, .event).contains { $0.contains("Waiting for task \(others[1])") })
      #expect(world.behaviour.deeds.count { $0.name == "errand web" } == 4)
      #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == 2)
    }
  }
}
