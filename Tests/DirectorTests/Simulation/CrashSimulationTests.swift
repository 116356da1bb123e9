import Blobs
import Documents
import Formats
import Testing

@testable import Director

/// A director dies at any moment, again and again; another one on the same store goes on.
@Suite struct CrashSimulationTests {
  private func checkDone(_ tasks: [TaskRecord], _ seed: UInt64, sourceLocation: SourceLocation = #_sourceLocation) {
    for task in tasks {
      #expect(task.state == .done, "seed \(seed): \(task.type): \(task.result ?? "")", sourceLocation: sourceLocation)
    }
  }

  @Test("A deploy is done once, however often the director dies", arguments: 1...14)
  func deploys(_ number: Int) async throws {
    let seed = UInt64(number)
    try await SimulatedWorld.run(seed: seed) { world in
      let manifest = SimulatedRelease.manifest()
      checkDone(
        try await world.survive(crashes: 6, deeds: 250) {
          [try await $0.deploy(DeployOrder(manifest: manifest), user: "admin")]
        }, seed)
      let once = ["apply", "pre-start", "post-start", "post-deploy"]
      #expect(world.deeds("db") == [once], "seed \(seed)")
      #expect(world.deeds("web") == [once, once, once], "seed \(seed)")
      // Another worker may take a package after a restart, so that it is compiled once more; nothing comes of that.
      #expect(
        Set(world.behaviour.deeds.map(\.name).filter { $0.hasPrefix("compile ") }).count == 4, "seed \(seed)")
      #expect(world.cloud.vms.count == 4, "seed \(seed)")
      try await world.checkTidy()
      world.behaviour.forget()
      let made = world.cloud.madeCount

      // The same again changes nothing.
      checkDone(
        try await world.survive(crashes: 1, deeds: 60) {
          [try await $0.deploy(DeployOrder(manifest: manifest), user: "admin")]
        }, seed)
      #expect(world.behaviour.deeds.isEmpty, "seed \(seed)")
      #expect(world.cloud.madeCount == made, "seed \(seed)")

      // One group changes, one instance goes.
      checkDone(
        try await world.survive(crashes: 4, deeds: 150) {
          let manifest = SimulatedRelease.manifest(webs: 2, port: 81)
          return [try await $0.deploy(DeployOrder(manifest: manifest), user: "admin")]
        }, seed)
      let updated = ["pre-stop", "drain", "stop", "post-stop", "apply", "pre-start", "post-start", "post-deploy"]
      #expect(world.deeds("db") == [["post-deploy"]], "seed \(seed)")
      #expect(
        world.deeds("web").sorted { $0.count < $1.count } == [
          ["pre-stop", "drain", "stop", "post-stop"], updated, updated,
        ],
        "seed \(seed)")
      #expect(world.cloud.madeCount == made, "seed \(seed)")
      try await world.checkTidy()
      world.behaviour.forget()

      // All VMs are made anew, each once.
      checkDone(
        try await world.survive(crashes: 4, deeds: 200) {
          var order = DeployOrder(manifest: SimulatedRelease.manifest(webs: 2, port: 81))
          order.recreate = true
          return [try await $0.deploy(order, user: "admin")]
        }, seed)
      #expect(world.cloud.madeCount == made + 3, "seed \(seed)")
      #expect(world.deeds("db") == [updated], "seed \(seed)")
      #expect(world.deeds("web") == [updated, updated], "seed \(seed)")
      try await world.checkTidy()
      world.behaviour.forget()

      checkDone(
        try await world.survive(crashes: 4, deeds: 80) {
          [try await $0.deleteDeployment("data", force: number % 2 == 0, user: "admin")]
        }, seed)
      #expect(world.deeds("db") == [["pre-stop", "drain", "stop", "post-stop"]], "seed \(seed)")
      #expect(world.cloud.vms.isEmpty, "seed \(seed)")
      #expect(try await world.records.instances.list().isEmpty, "seed \(seed)")
      #expect(try await world.records.addresses.list().isEmpty, "seed \(seed)")
      #expect(try await world.records.deployments.list().isEmpty, "seed \(seed)")
      try await world.checkTidy()
      #expect(world.crashCount > 5, "seed \(seed)")
    }
  }

  @Test("An errand runs once, and all that it prints comes home, however often the director dies", arguments: 1...14)
  func errands(_ number: Int) async throws {
    let seed = UInt64(100 + number)
    try await SimulatedWorld.run(seed: seed) { world in
      _ = try await world.deploy()
      let made = world.cloud.madeCount
      world.behaviour.forget()
      world.behaviour.errand = (lines: 12, exitCode: number % 3)

      // On a VM of its own, and at the same time on the instances of a group.
      let tasks = try await world.survive(crashes: 8, deeds: 120) { director in
        [
          try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin"),
          try await director.runErrand("web", in: "data", ErrandRun(), user: "admin"),
        ]
      }
      checkDone(tasks, seed)
      #expect(
        world.deeds("smoke") == [["apply", "pre-start", "post-start", "errand smoke-tests"]], "seed \(seed)")
      #expect(world.deeds("web") == Array(repeating: ["errand web"], count: 3), "seed \(seed)")
      #expect(world.cloud.madeCount == made + 1, "seed \(seed)")
      #expect(world.cloud.vms.count == 4, "seed \(seed)")
      for task in tasks {
        let results = try await world.lines(task.id, .result).map { try JSON.parse($0) }
        #expect(results.count == (task.id == tasks[0].id ? 1 : 3), "seed \(seed)")
        let outputs = try await world.errandOutput(task.id)
        for result in results {
          #expect(result["exit_code"] == .int(number % 3))
          let instance = "\(result["instance"]?["group"]?.string ?? "")/\(result["instance"]?["id"]?.string ?? "")"
          let text = try #require(result["stdout"]?.string)
          #expect(text.split(separator: "\n").count == 12, "seed \(seed)")
          #expect(outputs[instance] == text, "seed \(seed)")
          let blob = try #require(result["logs"]?["blobstore_id"]?.string)
          #expect(try await world.blobs.size(blob) != nil)
        }
      }
      try await world.checkTidy()
      #expect(world.crashCount > 2, "seed \(seed)")
    }
  }

  @Test(
    "Megabytes that an errand prints come home once and in order, however often the director dies", arguments: 1...3)
  func longErrands(_ number: Int) async throws {
    let seed = UInt64(150 + number)
    try await SimulatedWorld.run(seed: seed) { world in
      _ = try await world.deploy()
      world.behaviour.errand = (lines: 12, exitCode: 0)
      world.behaviour.padding = 60_000
      let tasks = try await world.survive(crashes: 6, deeds: 120) { director in
        [try await director.runErrand("web", in: "data", ErrandRun(), user: "admin")]
      }
      checkDone(tasks, seed)
      let outputs = try await world.errandOutput(tasks[0].id)
      #expect(outputs.count == 3, "seed \(seed)")
      for (instance, text) in outputs {
        let numbers = text.split(separator: "\n").map { $0.split(separator: " ")[1] }
        #expect(numbers == (0..<12).map { "\($0)" }, "\(instance), seed \(seed)")
      }
      let lines = try await world.lines(tasks[0].id, .errand)
      #expect(lines.contains { $0.hasPrefix(OutputPositions.beginning) }, "seed \(seed)")
      try await world.checkTidy()
      #expect(world.crashCount > 2, "seed \(seed)")
    }
  }

  @Test("An errand that somebody ends is ended, and its VM is gone, however often the director dies", arguments: 1...10)
  func cancelledErrands(_ number: Int) async throws {
    let seed = UInt64(200 + number)
    try await SimulatedWorld.run(seed: seed) { world in
      _ = try await world.deploy()
      world.behaviour.errand = (lines: 500, exitCode: 0)
      let tasks = try await world.survive(crashes: 5, deeds: 40) { director in
        [try await director.runErrand("smoke", in: "data", ErrandRun(), user: "admin")]
      } meanwhile: { director, ids in
        try await world.clock.sleep(.milliseconds(world.clock.chance(8000)))
        try await director.tasks.cancel(ids[0])
      }
      #expect(tasks.map(\.state) == [.cancelled], "seed \(seed): \(tasks[0].result ?? "")")
      #expect(world.cloud.vms.count == 4, "seed \(seed)")
      #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } <= 1, "seed \(seed)")
      try await world.checkTidy()
    }
  }

  @Test("A deploy that somebody ends can be deployed again, and deleted", arguments: 1...6)
  func cancelledDeploys(_ number: Int) async throws {
    let seed = UInt64(300 + number)
    try await SimulatedWorld.run(seed: seed) { world in
      let tasks = try await world.survive(crashes: 3, deeds: 60) { director in
        [try await director.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")]
      } meanwhile: { director, ids in
        try await world.clock.sleep(.milliseconds(world.clock.chance(6000)))
        try? await director.tasks.cancel(ids[0])
      }
      #expect([.cancelled, .done].contains(tasks[0].state), "seed \(seed): \(tasks[0].result ?? "")")
      try await world.checkTidy()
      if number % 2 == 0 {
        checkDone(
          try await world.survive(crashes: 3, deeds: 150) {
            [try await $0.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")]
          }, seed)
        try await world.checkTidy()
        #expect(world.cloud.vms.count == 4, "seed \(seed)")
      } else if try await world.records.deployments.list().isEmpty {
        // It was ended before there was anything.
        return #expect(world.cloud.vms.isEmpty, "seed \(seed)")
      }
      checkDone(
        try await world.survive(crashes: 3, deeds: 60) {
          [try await $0.deleteDeployment("data", force: false, user: "admin")]
        }, seed)
      #expect(world.cloud.vms.isEmpty, "seed \(seed)")
      #expect(try await world.records.addresses.list().isEmpty, "seed \(seed)")
      try await world.checkTidy()
    }
  }
}
