import Clouds
import Documents
import Formats
import Manifests
import Messaging
import Testing

@testable import Director

@Suite struct DeploySimulationTests {
  @Test("A deploy makes what the manifest says, and a second one changes nothing")
  func deployTwice() async throws {
    try await SimulatedWorld.run(seed: 1) { world in
      try await world.withDirector { director in
        let first = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        let task = try await director.tasks.wait(for: first)
        #expect(task.state == .done, "\(task.result ?? "")")
        #expect(world.cloud.vms.count == 4)
        #expect(world.deeds("db") == [["apply", "pre-start", "post-start", "post-deploy"]])
        #expect(world.deeds("web") == Array(repeating: ["apply", "pre-start", "post-start", "post-deploy"], count: 3))
        let compiled = world.behaviour.deeds.filter { $0.name.hasPrefix("compile ") }.map(\.name).sorted()
        #expect(compiled == ["compile db", "compile lib", "compile tools", "compile web"])
        try await world.checkTidy()

        let before = (made: world.cloud.madeCount, deeds: world.behaviour.deeds.count)
        let second = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        #expect(try await director.tasks.wait(for: second).state == .done)
        #expect(world.cloud.madeCount == before.made)
        #expect(world.behaviour.deeds.count == before.deeds)
        try await world.checkTidy()
      }
    }
  }

  @Test("A deploy goes by the runtime configs of its time, also after they are deleted")
  func runtimeConfigs() async throws {
    try await SimulatedWorld.run(seed: 3) { world in
      try await world.withDirector { director in
        let config = try await director.updateConfig(
          type: "runtime", name: "default",
          content: """
            releases: [{name: data, version: "1"}]
            tags: {owner: me}
            addons:
            - {name: check, jobs: [{name: smoke-tests, release: data}], include: {instance_groups: [db]}}
            - {name: else, jobs: [{name: smoke-tests, release: data}], include: {deployments: [other]}}
            """)
        func deploy(_ order: DeployOrder) async throws {
          let task = try await director.tasks.wait(for: try await director.deploy(order, user: "admin"))
          #expect(task.state == .done, "\(task.result ?? "")")
        }
        try await deploy(DeployOrder(manifest: SimulatedRelease.manifest()))
        #expect(try await director.deployment("data").configIDs == [1, config.id])
        func jobs(_ group: String) async throws -> [String]? {
          let record = try await director.deployment("data")
          let manifest = try DeploymentManifest(YAML.parse(record.manifest ?? ""))
          let resolved = try await director.storedInputs(record, manifest).resolve()
          return resolved.groups.first { $0.name == group }?.jobs.map(\.name)
        }
        #expect(try await jobs("db") == ["db", "smoke-tests"])
        #expect(try await jobs("web") == ["web"])
        #expect(try await director.errands("data").contains("smoke-tests"))

        // What was deployed stays so until the next deploy, which goes by the new ones; or by those it is given.
        #expect(try await director.deleteConfig(type: "runtime", name: "default"))
        #expect(try await jobs("db") == ["db", "smoke-tests"])
        var order = DeployOrder(manifest: SimulatedRelease.manifest())
        order.configIDs = [1, config.id]
        let before = world.behaviour.deeds.count
        try await deploy(order)
        #expect(world.behaviour.deeds.count == before)
        try await deploy(DeployOrder(manifest: SimulatedRelease.manifest()))
        #expect(try await jobs("db") == ["db"])
        #expect(world.behaviour.deeds.count > before)
        try await world.checkTidy()
      }
    }
  }

  @Test("An agent that never answers is named in the events, and the wait for it can be ended")
  func silentAgent() async throws {
    try await SimulatedWorld.run(seed: 4) { world in
      try await world.withDirector { director in
        world.behaviour.fail("agent start")
        let deploy = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        func warnings() async throws -> [String] {
          try await world.lines(deploy, .event).filter { $0.contains("has not answered for") }
        }
        var seconds = 0
        while try await warnings().isEmpty, seconds < 100 {
          try await world.clock.sleep(.seconds(1))
          seconds += 1
        }
        let warning = try #require(try await warnings().first)
        #expect(warning.contains("waiting up to 600 s (cancel-task \(deploy) ends it)"), "\(warning)")
        try await director.tasks.cancel(deploy)
        #expect(try await director.tasks.wait(for: deploy).state == .cancelled)
        world.behaviour.fail("agent start", false)
        let again = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        #expect(try await director.tasks.wait(for: again).state == .done)
        try await world.checkTidy()
      }
    }
  }

  @Test("A deploy that fails leaves the last manifest, and can be repeated", arguments: ["pre-start", "post-start"])
  func failingScript(_ script: String) async throws {
    try await SimulatedWorld.run(seed: 2) { world in
      try await world.withDirector { director in
        let good = SimulatedRelease.manifest()
        let first = try await director.deploy(DeployOrder(manifest: good), user: "admin")
        #expect(try await director.tasks.wait(for: first).state == .done)
        world.behaviour.fail("web \(script)")
        let changed = SimulatedRelease.manifest(port: 81)
        let second = try await director.deploy(DeployOrder(manifest: changed), user: "admin")
        let failed = try await director.tasks.wait(for: second)
        #expect(failed.state == .error)
        #expect(failed.result?.contains("\(script) scripts failed") == true, "\(failed.result ?? "")")
        #expect(try await director.deployment("data").manifest == good)
        // The canary failed: nobody else was touched.
        #expect(world.behaviour.deeds.count { $0.name == "stop" } == 1)
        try await world.checkTidy()
        world.behaviour.fail("web \(script)", false)
        let third = try await director.deploy(DeployOrder(manifest: changed), user: "admin")
        #expect(try await director.tasks.wait(for: third).state == .done)
        #expect(try await director.deployment("data").manifest == changed)
        try await world.checkTidy()
      }
    }
  }

  @Test(
    "A deploy that the cloud or a compilation fails leaves nothing behind, and can be repeated",
    arguments: ["create_vm", "set_vm_metadata", "create_disk", "attach_disk"])
  func failingCloud(_ call: String) async throws {
    try await SimulatedWorld.run(seed: 3) { world in
      try await world.withDirector { director in
        world.cloud.fail { $0 == call ? CloudError(.cloudError, "\(call) does not work today") : nil }
        let manifest = SimulatedRelease.manifest()
        let first = try await director.deploy(DeployOrder(manifest: manifest), user: "admin")
        let failed = try await director.tasks.wait(for: first)
        #expect(failed.state == .error)
        #expect(failed.result?.contains("does not work today") == true, "\(failed.result ?? "")")
        #expect(try await director.deployment("data").manifest == nil)
        try await world.checkTidy()
        world.cloud.fail(nil)
        let second = try await director.deploy(DeployOrder(manifest: manifest), user: "admin")
        let done = try await director.tasks.wait(for: second)
        #expect(done.state == .done, "\(done.result ?? "")")
        #expect(world.cloud.vms.count == 4)
        #expect(world.cloud.disks.count == 1)
        try await world.checkTidy()
      }
    }
  }

  @Test("A package that does not compile fails the deploy, and no compilation VM is left")
  func failingCompilation() async throws {
    try await SimulatedWorld.run(seed: 4) { world in
      try await world.withDirector { director in
        world.behaviour.fail("compilation lib")
        let first = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        #expect(try await director.tasks.wait(for: first).state == .error)
        #expect(world.cloud.vms.isEmpty)
        try await world.checkTidy()
        world.behaviour.fail("compilation lib", false)
        let second = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        #expect(try await director.tasks.wait(for: second).state == .done)
        try await world.checkTidy()
      }
    }
  }

  @Test("A larger disk replaces the old one, which is kept as an orphan")
  func diskChange() async throws {
    try await SimulatedWorld.run(seed: 5) { world in
      for disk in ["big", "bigger"] {
        let tasks = try await world.survive(crashes: 5, deeds: 300) {
          [try await $0.deploy(DeployOrder(manifest: SimulatedRelease.manifest(disk: disk)), user: "admin")]
        }
        #expect(tasks.map(\.state) == [.done], "\(tasks[0].result ?? "")")
      }
      let instances = try await world.records.instances(of: "data")
      #expect(instances.flatMap(\.disks).map(\.size) == [2048])
      #expect(try await world.records.orphanDisks.list().map(\.body.disk.size) == [1024])
      try await world.checkTidy()
    }
  }

  @Test("Messages that are lost, late or repeated change nothing")
  func lossyBus() async throws {
    try await SimulatedWorld.run(seed: 6) { world in
      world.bus.intercept { _ in
        switch world.clock.chance(40) {
        case 0, 1: .drop
        case 2, 3: .delay(.milliseconds(world.clock.chance(20_000)))
        case 4...6: .repeated(2)
        default: .deliver
        }
      }
      try await world.withDirector { director in
        let deploy = try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")
        let done = try await director.tasks.wait(for: deploy)
        #expect(done.state == .done, "\(done.result ?? "")")
        #expect(world.deeds("web") == Array(repeating: ["apply", "pre-start", "post-start", "post-deploy"], count: 3))
        let errand = try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin")
        let ran = try await director.tasks.wait(for: errand)
        #expect(ran.state == .done, "\(ran.result ?? "")")
        #expect(world.deeds("smoke") == [["apply", "pre-start", "post-start", "errand smoke-tests"]])
        try await world.checkTidy()
      }
    }
  }

  @Test("A dry run prints the plan and leaves nothing")
  func dryRun() async throws {
    try await SimulatedWorld.run(seed: 7) { world in
      try await world.withDirector { director in
        var order = DeployOrder(manifest: SimulatedRelease.manifest())
        order.dryRun = true
        let id = try await director.deploy(order, user: "admin")
        #expect(try await director.tasks.wait(for: id).state == .done)
        #expect(try await world.lines(id, .result).contains("update instance group db:"))
        #expect(world.cloud.madeCount == 0)
        #expect(try await world.records.instances.list().isEmpty)
        #expect(try await world.records.deployments.list().isEmpty)
        try await world.checkTidy()
      }
    }
  }
}
