import Documents
import Formats
import Testing

@testable import Director

/// Errands that the director runs by itself around deploys and deletions.
@Suite struct TriggerSimulationTests {
  private func manifest(_ errands: String, webs: Int = 3, port: Int = 80) -> String {
    SimulatedRelease.manifest(webs: webs, port: port) + "\nerrands:\n" + errands
  }

  private static let both = """
    - {name: check, errand: smoke, on: [post-deploy], required: true}
    - {name: tell, errand: web, on: post-deploy}
    """

  private func children(_ world: SimulatedWorld, of task: Int) async throws -> [TaskRecord] {
    try await DocumentCollection<TaskRecord>(world.store, kind: "task").list().map(\.body).filter { $0.parent == task }
  }

  private func end(_ director: Director, _ id: Int) async throws -> TaskRecord {
    try await director.tasks.wait(for: id)
  }

  private func allEnd(_ director: Director, _ world: SimulatedWorld) async throws {
    for task in try await director.tasks.tasks() { _ = try await director.tasks.wait(for: task.id) }
  }

  @Test("Errands of post-deploy run after a deploy that changed something, linked to it; the required one gates it")
  func postDeploy() async throws {
    try await SimulatedWorld.run(seed: 901) { world in
      try await world.withDirector { director in
        let id = try await director.deploy(DeployOrder(manifest: manifest(Self.both)), user: "ann")
        let deploy = try await end(director, id)
        #expect(deploy.state == .done, "\(deploy.result ?? "")")
        let children = try await children(world, of: id)
        #expect(children.map(\.cause?.name) == ["check", "tell"])
        #expect(children.map(\.cause?.point) == ["post-deploy", "post-deploy"])
        #expect(children.map(\.user) == ["ann", "ann"])
        // The required one has ended before the deploy, the other one need not.
        let required = try #require(children.first)
        #expect(required.state == .done)
        #expect(try #require(required.finishedAt) <= #require(deploy.finishedAt))
        try await allEnd(director, world)
        #expect(world.deeds("smoke") == [["apply", "pre-start", "post-start", "errand smoke-tests"]])
        #expect(world.deeds("web").allSatisfy { $0.filter { $0 == "errand web" }.count == 1 })
        #expect(try await world.lines(id, .event).contains { $0.contains("check runs as task \(required.id)") })
        #expect(
          try await world.lines(required.id, .event).contains { $0.contains("post-deploy of task \(id)") })
        let runs = try await director.errandRuns(deployment: "data", errand: "smoke", limit: 5)
        #expect(runs.map { $0.task.cause?.text(parent: $0.task.parent) } == ["post-deploy of task \(id)"])

        // Without a change there is nothing to run after; nor after a command that is no deploy.
        world.behaviour.forget()
        let again = try await director.deploy(DeployOrder(manifest: manifest(Self.both)), user: "ann")
        #expect(try await end(director, again).state == .done)
        let restart = try await director.changeState(
          of: "data", .init(StateChange(target: InstanceSelector(group: "db", id: nil), action: .restart)), user: "ann")
        #expect(try await end(director, restart).state == .done)
        try await allEnd(director, world)
        #expect(!world.behaviour.deeds.contains { $0.name.hasPrefix("errand") })
        try await world.checkTidy()
      }
    }
  }

  @Test("A required errand that fails fails the deploy, and is owed until it has ended well")
  func owed() async throws {
    try await SimulatedWorld.run(seed: 902) { world in
      try await world.withDirector { director in
        world.behaviour.errand = (lines: 1, exitCode: 7)
        let order = DeployOrder(manifest: manifest(Self.both))
        for _ in 0..<2 {
          world.behaviour.forget()
          let id = try await director.deploy(order, user: "ann")
          let deploy = try await end(director, id)
          #expect(deploy.state == .error)
          let child = try #require(try await children(world, of: id).first)
          #expect(
            deploy.result?.contains(
              "Errand 'check' (post-deploy, task \(child.id)) ended with exit code 7; see what it printed: "
                + "drover attach \(child.id)") == true, "\(deploy.result ?? "")")
          #expect(world.behaviour.deeds.contains { $0.name == "errand smoke-tests" })
          #expect(!world.behaviour.deeds.contains { $0.name == "errand web" })
        }
        world.behaviour.errand = (lines: 1, exitCode: 0)
        for isOwed in [true, false] {
          world.behaviour.forget()
          let id = try await director.deploy(order, user: "ann")
          #expect(try await end(director, id).state == .done)
          try await allEnd(director, world)
          #expect(world.behaviour.deeds.contains { $0.name == "errand smoke-tests" } == isOwed)
        }
        try await world.checkTidy()
      }
    }
  }

  @Test(
    "A required errand fails the deploy also when its script said 0, since its time was up",
    arguments: [false, true])
  func requiredInTime(_ failsFast: Bool) async throws {
    try await SimulatedWorld.run(seed: 905) { world in
      try await world.withDirector { director in
        world.behaviour.errand = (lines: 5000, exitCode: 0)
        world.behaviour.endedCode = failsFast ? 143 : 0
        world.behaviour.errandCodes = failsFast ? [1: 5] : [:]
        let limits = failsFast ? "timeout: 1h, fail_fast: true" : "timeout: 20s"
        let text = manifest("- {name: check, errand: web, on: post-deploy, required: true, \(limits)}")
        let id = try await director.deploy(DeployOrder(manifest: text), user: "ann")
        let deploy = try await end(director, id)
        #expect(deploy.state == .error)
        // Not the code of those that were ended because of it.
        #expect(
          deploy.result?.contains("ended with exit code \(failsFast ? 5 : 124);") == true, "\(deploy.result ?? "")")
        try await world.checkTidy()
      }
    }
  }

  @Test("What is not required fails without the deploy")
  func notRequired() async throws {
    try await SimulatedWorld.run(seed: 903) { world in
      try await world.withDirector { director in
        world.behaviour.errand = (lines: 1, exitCode: 1)
        let text = manifest("- {name: smoke, on: post-deploy}")
        let id = try await director.deploy(DeployOrder(manifest: text), user: "ann")
        #expect(try await end(director, id).state == .done)
        try await allEnd(director, world)
        let runs = try await director.errandRuns(deployment: "data", errand: "smoke", limit: 5)
        #expect(runs.map(\.exitCode) == [1])
        try await world.checkTidy()
      }
    }
  }

  @Test("An errand that the deployment does not have is refused before anything is done")
  func unknown() async throws {
    try await SimulatedWorld.run(seed: 904) { world in
      try await world.withDirector { director in
        let text = manifest("- {name: a, errand: smoke-test, on: post-deploy}")
        let id = try await director.deploy(DeployOrder(manifest: text), user: "ann")
        let deploy = try await end(director, id)
        #expect(deploy.state == .error)
        #expect(
          deploy.result?.contains(
            "'a' is to run errand 'smoke-test', which this deployment does not have; did you mean 'smoke' or")
            == true,
          "\(deploy.result ?? "")")
        #expect(world.cloud.vms.isEmpty)
      }
    }
  }

  @Test("Errands of post-recreate run on the instances whose VMs are new, or once on a VM of their own")
  func postRecreate() async throws {
    try await SimulatedWorld.run(seed: 905) { world in
      try await world.withDirector { director in
        let text = manifest(
          """
          - {name: web, on: [post-recreate], required: true}
          - {name: smoke, on: [post-recreate], required: true}
          """)
        let first = try await director.deploy(DeployOrder(manifest: text), user: "ann")
        #expect(try await end(director, first).state == .done)
        #expect(!world.behaviour.deeds.contains { $0.name.hasPrefix("errand") }, "nothing was made anew")
        world.behaviour.forget()
        let target = InstanceSelector(group: "web", id: "1")
        let id = try await director.changeState(
          of: "data", .init(StateChange(target: target, action: .recreate)), user: "ann")
        let task = try await end(director, id)
        #expect(task.state == .done, "\(task.result ?? "")")
        let ran = world.behaviour.deeds.filter { $0.name == "errand web" }
        #expect(ran.count == 1)
        let instance = try #require(
          try await world.records.instances(of: "data").first { $0.id == ran.first?.instance })
        #expect(instance.index == 1)
        #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == 1)

        // None of its instances: the collocated one has nothing to do.
        world.behaviour.forget()
        let db = InstanceSelector(group: "db", id: nil)
        let other = try await director.changeState(
          of: "data", .init(StateChange(target: db, action: .recreate)), user: "ann")
        #expect(try await end(director, other).state == .done)
        #expect(!world.behaviour.deeds.contains { $0.name == "errand web" })
        #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == 1)
        try await world.checkTidy()
      }
    }
  }

  @Test("A deletion waits for errands of pre-delete; a required one that fails stops it, unless it is forced")
  func preDelete() async throws {
    for isRequired in [true, false] {
      try await SimulatedWorld.run(seed: 906) { world in
        try await world.withDirector { director in
          let text = manifest("- {name: backup, errand: web, on: pre-delete, required: \(isRequired)}")
          let id = try await director.deploy(DeployOrder(manifest: text), user: "ann")
          #expect(try await end(director, id).state == .done)
          world.behaviour.forget()
          world.behaviour.errand = (lines: 2, exitCode: 3)
          if isRequired {
            let refused = try await director.deleteDeployment("data", force: false, user: "ann")
            let task = try await end(director, refused)
            #expect(task.state == .error)
            #expect(task.result?.contains("exit code 3") == true, "\(task.result ?? "")")
            #expect(task.result?.contains("Nothing was deleted") == true)
            #expect(world.cloud.vms.count == 4)
          }
          let deletion = try await director.deleteDeployment("data", force: isRequired, user: "ann")
          #expect(try await end(director, deletion).state == .done)
          #expect(try await world.lines(deletion, .event).contains { $0.contains("exit code 3") })
          for deeds in world.deeds("web") { #expect(deeds.last == "post-stop" && deeds.first == "errand web") }
          #expect(world.cloud.vms.isEmpty)
          try await world.checkTidy()
        }
      }
    }
  }

  @Test("While a deploy's errand runs nobody else gets in, and who waits for the deploy waits for it too")
  func umbrella() async throws {
    try await SimulatedWorld.run(seed: 907) { world in
      try await world.withDirector { director in
        world.behaviour.errand = (lines: 20, exitCode: 0)
        let id = try await director.deploy(
          DeployOrder(manifest: manifest("- {name: web, on: post-deploy, required: true}")), user: "ann")
        while !world.behaviour.deeds.contains(where: { $0.name == "errand web" }) {
          try await world.clock.sleep(.milliseconds(20))
        }
        let other = try await director.deploy(
          DeployOrder(manifest: SimulatedRelease.manifest(port: 81)), user: "bob")
        let deletion = try await director.deleteDeployment("data", force: false, user: "bob")
        try await world.clock.sleep(.milliseconds(100))
        let child = try #require(try await children(world, of: id).first)
        #expect(try await world.lines(other, .event).contains { $0.contains("Waiting for task \(id)") })
        #expect(
          try await world.lines(deletion, .event).contains {
            $0.contains("task \(id)") && $0.contains("task \(child.id)") && $0.contains("task \(other)")
          })
        #expect(try await end(director, other).state == .done)
        #expect(try await director.tasks.task(id).state == .done)
        #expect(try await director.tasks.task(child.id).state == .done)
        #expect(try await end(director, deletion).state == .done)
        for deeds in world.deeds("web") {
          #expect(deeds.firstIndex(of: "errand web").map { $0 < deeds.firstIndex(of: "stop") ?? 0 } == true)
        }
        try await world.checkTidy()
      }
    }
  }

  @Test("A deploy's errands are started once and waited for, however often the director dies", arguments: 1...20)
  func survives(_ number: Int) async throws {
    let seed = UInt64(2000 + number)
    try await SimulatedWorld.run(seed: seed) { world in
      world.behaviour.errand = (lines: 8, exitCode: 0)
      let text = manifest(
        """
        - {name: smoke, on: [post-deploy, pre-delete], required: true}
        - {name: tell, errand: web, on: [post-deploy]}
        - {name: fresh, errand: web, on: [post-recreate], required: true}
        """)
      let tasks = try await world.survive(crashes: 9, deeds: number % 2 == 0 ? 250 : 120) {
        [try await $0.deploy(DeployOrder(manifest: text), user: "ann")]
      }
      try await check(tasks, world, seed, ["smoke": 1, "tell": 1])

      // Made anew, with a deploy from a client of another version that dies as often.
      world.behaviour.forget()
      let again = try await world.survive(crashes: 7, deeds: 200) {
        var order = DeployOrder(manifest: text)
        order.recreate = true
        return [try await $0.deploy(order, user: "ann")]
      }
      try await check(again, world, seed, ["smoke": 1, "tell": 1, "fresh": 1])

      world.behaviour.forget()
      let deleted = try await world.survive(crashes: 5, deeds: 80) {
        [try await $0.deleteDeployment("data", force: false, user: "ann")]
      }
      try await check(deleted, world, seed, ["smoke": 1])
      #expect(world.cloud.vms.isEmpty, "seed \(seed)")
      try await world.checkTidy()
    }
  }

  private func check(_ tasks: [TaskRecord], _ world: SimulatedWorld, _ seed: UInt64, _ wanted: [String: Int])
    async throws
  {
    let parent = try #require(tasks.first)
    #expect(parent.state == .done, "seed \(seed): \(parent.result ?? "")")
    // What was not waited for may still run.
    try await world.withDirector { try await allEnd($0, world) }
    let children = try await children(world, of: parent.id)
    #expect(children.allSatisfy { $0.state == .done }, "seed \(seed)")
    let counts = children.reduce(into: [String: Int]()) { $0[$1.cause?.name ?? "", default: 0] += 1 }
    #expect(counts == wanted, "seed \(seed)")
    #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == wanted["smoke"], "seed \(seed)")
    let onWeb = (wanted["tell"] ?? 0) + (wanted["fresh"] ?? 0)
    #expect(world.behaviour.deeds.count { $0.name == "errand web" } == onWeb * 3, "seed \(seed)")
  }

  @Test("Ending a deploy that waits for an errand ends the errand, however often the director dies", arguments: 1...10)
  func cancelled(_ number: Int) async throws {
    let seed = UInt64(2100 + number)
    try await SimulatedWorld.run(seed: seed) { world in
      world.behaviour.errand = (lines: 3000, exitCode: 0)
      let text = manifest("- {name: smoke, on: post-deploy, required: true}")
      let tasks = try await world.survive(crashes: 5, deeds: 50) { director in
        [try await director.deploy(DeployOrder(manifest: text), user: "ann")]
      } meanwhile: { director, ids in
        while !world.behaviour.deeds.contains(where: { $0.name == "errand smoke-tests" }) {
          try await world.clock.sleep(.milliseconds(50))
        }
        try await world.clock.sleep(.milliseconds(world.clock.chance(3000)))
        try await director.tasks.cancel(ids[0])
      }
      #expect(tasks.map(\.state) == [.cancelled], "seed \(seed): \(tasks.first?.result ?? "")")
      try await world.withDirector { try await allEnd($0, world) }
      #expect(try await children(world, of: tasks[0].id).map(\.state) == [.cancelled], "seed \(seed)")
      #expect(world.cloud.vms.count == 4, "seed \(seed)")
      try await world.checkTidy()
    }
  }
}
