import Documents
import Formats
import Manifests
import Surroundings
import Testing

@testable import Director

/// Variables of manifests, by directors that may die.
@Suite struct VariableSimulationTests {
  private static let definitions = """
    variables:
    - {name: leaf, type: certificate, options: {ca: root, common_name: "((pw))"}}
    - {name: root, type: certificate, options: {is_ca: true}}
    - {name: pw, type: password}
    """

  /// The web job has a variable for its port.
  private func manifest(_ port: String = "((pw))", _ definitions: String = definitions) -> String {
    SimulatedRelease.manifest().replacing("port: 80}", with: "port: '\(port)'}") + "\n" + definitions + "\n"
  }

  @discardableResult
  private func deploy(
    _ world: SimulatedWorld, _ manifest: String, crashes: Int = 0, dryRun: Bool = false
  ) async throws -> TaskRecord {
    world.behaviour.forget()
    var order = DeployOrder(manifest: manifest)
    order.dryRun = dryRun
    let tasks = try await world.survive(crashes: crashes, deeds: 80) { [order] director in
      [try await director.deploy(order, user: "admin")]
    }
    try await world.checkTidy()
    return tasks[0]
  }

  private func values(_ world: SimulatedWorld) async throws -> [String: Value] {
    try await world.withDirector { director in
      try await director.variables.set(of: try await director.deployment("data")).values
    }
  }

  /// The groups that something was done in.
  private func changed(_ world: SimulatedWorld) -> Set<String> { Set(world.behaviour.deeds.map(\.group)) }

  @Test("what a manifest defines is made once, however often the director dies, and stays", arguments: 0...8)
  func defined(crashes: Int) async throws {
    try await SimulatedWorld.run(seed: UInt64(900 + crashes)) { world in
      let task = try await deploy(world, manifest(), crashes: crashes)
      #expect(task.state == .done, "\(task.result ?? "")")
      let first = try await values(world)
      #expect(first.keys.sorted() == ["leaf", "pw", "root"].map { "/simulation/data/\($0)" })
      #expect(first["/simulation/data/leaf"]?["ca"] == first["/simulation/data/root"]?["certificate"])
      #expect(try await world.records.variables.list().allSatisfy { $0.body.versions.count == 1 })
      // The manifest is kept as it was written.
      #expect(try await world.records.deployments.get("data")?.body.manifest == manifest())
      #expect(try await deploy(world, manifest()).state == .done)
      #expect(try await values(world) == first)
      #expect(changed(world).isEmpty)
    }
  }

  @Test("a value that is set or made anew counts from the next deploy on, which changes what uses it")
  func changes() async throws {
    try await SimulatedWorld.run(seed: 920) { world in
      try await deploy(world, manifest())
      let first = try await values(world)
      let (password, root) = ("/simulation/data/pw", "/simulation/data/root")
      _ = try await world.withDirector { try await $0.rotateVariable(password) }
      // Whoever runs an errand before that, runs it with what is deployed.
      #expect(try await values(world) == first)
      try await deploy(world, manifest())
      let second = try await values(world)
      #expect(second[password] != first[password] && second[root] == first[root])
      #expect(changed(world) == ["web", "db"] || changed(world) == ["web"])
      _ = try await world.withDirector { try await $0.setVariable(password, "mine", type: "password") }
      try await deploy(world, manifest())
      #expect(try await values(world)[password] == "mine")
      #expect(world.behaviour.deeds.contains { $0.group == "web" && $0.name == "apply" })
      // It stays until somebody wants another one made.
      try await deploy(world, manifest().replacing("type: password}", with: "type: password, update_mode: overwrite}"))
      #expect(try await values(world)[password] == "mine")
      _ = try await world.withDirector { try await $0.rotateVariable(password) }
      try await deploy(world, manifest())
      #expect(try await values(world)[password] != "mine")
      // With an authority go the certificates that it signs.
      _ = try await world.withDirector { try await $0.rotateVariable(root) }
      try await deploy(world, manifest())
      let third = try await values(world)
      #expect(third[root] != second[root])
      #expect(third["/simulation/data/leaf"]?["ca"] == third[root]?["certificate"])
      // Three are kept, no more, when they are old enough.
      for number in 1...4 {
        _ = try await world.withDirector { try await $0.setVariable(password, .int(number), type: "value") }
        try await world.surroundings.sleep(.seconds(8 * 86400))
        try await deploy(world, manifest())
      }
      try await world.surroundings.sleep(.seconds(8 * 86400))
      try await deploy(world, manifest())
      #expect(try await world.records.variables.get("simulation/data/pw")?.body.versions.count == 3)
      #expect(try await values(world)[password] == 4)
    }
  }

  @Test(
    "whether a definition makes a new value, it says itself, or the deployment's features",
    arguments: [
      ("", "", false), ("update_mode: no-overwrite,", "", false), ("update_mode: overwrite,", "", true),
      ("update_mode: converge,", "", false), ("update_mode: converge,", "length: 9", true), ("", "length: 9", false),
    ])
  func modes(mode: String, change: String, isNew: Bool) async throws {
    let definitions = ["", change].map { "variables: [{name: pw, type: password, \(mode) options: {\($0)}}]" }
    let wants = change.isEmpty || mode.contains("no-overwrite") ? isNew : true
    for (features, isNew) in [("", isNew), ("features: {converge_variables: true}\n", wants)] {
      try await SimulatedWorld.run(seed: 930) { world in
        try await deploy(world, manifest("((pw))", features + definitions[0]))
        let first = try await values(world)
        try await deploy(world, manifest("((pw))", features + definitions[1]))
        let second = try await values(world)
        #expect((first != second) == isNew, "\(features)")
      }
    }
  }

  @Test("what has no value is said, with all names, before anything is made")
  func missing() async throws {
    try await SimulatedWorld.run(seed: 940) { world in
      let task = try await deploy(world, manifest("((nothing))", "tags: {a: ((/there/is/none))}"))
      #expect(task.state == .error)
      #expect(task.result?.contains("variables without a value: '/there/is/none', 'nothing'; define them") == true)
      #expect(world.cloud.madeCount == 0)
      _ = try await world.withDirector { director in
        for name in ["/there/is/none", "/simulation/data/nothing"] {
          _ = try await director.setVariable(name, "7", type: "value")
        }
      }
      #expect(try await deploy(world, manifest("((nothing))", "tags: {a: ((/there/is/none))}")).state == .done)
      // One that is in use is not deleted.
      await #expect(throws: DroverError.self) {
        try await world.withDirector { try await $0.deleteVariable("/there/is/none") }
      }
      try await deploy(world, manifest("7", ""))
      try await world.withDirector { try await $0.deleteVariable("/there/is/none") }
      #expect(try await world.records.variables.list().map(\.name) == ["simulation/data/nothing"])
    }
  }

  @Test("certificates follow their authority, wherever the director dies between the two", arguments: 1...12)
  func followsAuthority(deeds: Int) async throws {
    try await SimulatedWorld.run(seed: UInt64(990 + deeds)) { world in
      try await deploy(world, manifest())
      let first = try await values(world)
      _ = try await world.withDirector { try await $0.rotateVariable("/simulation/data/root") }
      let tasks = try await world.survive(crashes: 1, deeds: 80, first: deeds) { director in
        [try await director.deploy(DeployOrder(manifest: manifest()), user: "admin")]
      }
      #expect(tasks.map(\.state) == [.done])
      let second = try await values(world)
      #expect(second["/simulation/data/root"] != first["/simulation/data/root"])
      #expect(second["/simulation/data/leaf"]?["ca"] == second["/simulation/data/root"]?["certificate"])
    }
  }

  @Test("a deploy that fails after an authority was made anew leaves nothing signed by the old one to the next")
  func failedBetween() async throws {
    try await SimulatedWorld.run(seed: 1010) { world in
      try await deploy(world, manifest())
      _ = try await world.withDirector { try await $0.rotateVariable("/simulation/data/root") }
      let broken = Self.definitions.replacing("common_name: \"((pw))\"", with: "common_name: \"((none))\"")
      #expect(try await deploy(world, manifest("((pw))", broken)).state == .error)
      #expect(try await deploy(world, manifest()).state == .done)
      let values = try await values(world)
      #expect(values["/simulation/data/leaf"]?["ca"] == values["/simulation/data/root"]?["certificate"])
    }
  }

  @Test("what was a text may become a certificate, and a manifest whose variables are gone can be deleted")
  func repairs() async throws {
    try await SimulatedWorld.run(seed: 1020) { world in
      try await deploy(world, manifest())
      let changed = "variables: [{name: pw, type: certificate, update_mode: converge, options: {is_ca: true}}]"
      #expect(try await deploy(world, manifest("((pw.certificate))", changed)).state == .done)
      for entry in try await world.records.variables.list() { try await world.records.variables.delete(entry.name) }
      try await world.withDirector { director in
        #expect(try await director.schedules(deployment: nil) == [])
        let error = await #expect(throws: DroverError.self) { try await director.errands("data") }
        #expect(error?.message.contains("'/simulation/data/pw'") == true)
        let id = try await director.deleteDeployment("data", force: false, user: "admin")
        #expect(try await director.tasks.wait(for: id).state == .done)
      }
    }
  }

  @Test("the same value set once more is no new one; an authority that cannot sign leaves what it has signed")
  func sameAgain() async throws {
    try await SimulatedWorld.run(seed: 1040) { world in
      let root = "/simulation/data/root"
      let authority: Value = ["certificate": "mine", "private_key": "key"]
      let leaf = "variables: [{name: leaf, type: certificate, options: {ca: root}}]"
      func set(_ value: Value) async throws {
        _ = try await world.withDirector { try await $0.setVariable(root, value, type: "certificate") }
      }
      try await set(authority)
      try await deploy(world, manifest("((leaf.certificate))", leaf))
      let first = try await values(world)
      #expect(first["/simulation/data/leaf"]?["ca"] == "mine")
      try await set(authority)
      try await set(["certificate": "mine"])
      try await set(["certificate": "another"])
      try await deploy(world, manifest("((leaf.certificate))", leaf))
      #expect(try await values(world)["/simulation/data/leaf"] == first["/simulation/data/leaf"])
      #expect(try await world.records.variables.get("simulation/data/root")?.body.versions.count == 3)
      try await set(["certificate": "third", "private_key": "key"])
      try await deploy(world, manifest("((leaf.certificate))", leaf))
      #expect(try await values(world)["/simulation/data/leaf"]?["ca"] == "third")
    }
  }

  @Test("a deployment's name is no variable")
  func name() async throws {
    try await SimulatedWorld.run(seed: 1030) { world in
      try await world.withDirector { director in
        _ = try await director.setVariable("/name", "data", type: "value")
        let text = manifest().replacing("name: data\n", with: "name: ((/name))\n")
        await #expect(throws: DroverError.self) {
          try await director.deploy(DeployOrder(manifest: text), user: "admin")
        }
      }
    }
  }

  @Test("a dry run plans with values of its own, and writes none down")
  func dryRun() async throws {
    try await SimulatedWorld.run(seed: 950) { world in
      #expect(try await deploy(world, manifest(), dryRun: true).state == .done)
      #expect(try await world.records.variables.list().isEmpty)
      try await deploy(world, manifest())
      let first = try await values(world)
      try await deploy(world, manifest(), dryRun: true)
      #expect(try await values(world) == first)
    }
  }

  @Test("a deployment from before there were variables keeps what looks like one as text, until its next deploy")
  func before() async throws {
    try await SimulatedWorld.run(seed: 960) { world in
      try await deploy(world, manifest("((pw))"))
      try await world.records.deployments.update("data") { $0.variables = nil }
      let port = try await world.withDirector { director in
        let record = try await director.deployment("data")
        return try await director.variables.manifest(of: record)?.instanceGroups[1].jobs[0].properties?["port"]
      }
      #expect(port == "((pw))")
      try await deploy(world, manifest("((pw))"))
      #expect(try await values(world).count == 3)
    }
  }

  @Test("an addon that is not for a deployment may have variables that it knows nothing of")
  func addons() async throws {
    try await SimulatedWorld.run(seed: 970) { world in
      func runtime(_ deployment: String) -> String {
        """
        releases: [{name: data, version: '1'}]
        addons:
        - name: a
          jobs: [{name: web, release: data, properties: {port: ((agent-port))}}]
          include: {deployments: [\(deployment)], instance_groups: [db]}
        - name: b
          jobs: [{name: web, release: data, properties: {port: ((excluded))}}]
          include: {instance_groups: [db]}
          exclude: {deployments: [data]}
        variables: [{name: agent-port, type: \(deployment == "other" ? "none" : "password")}, {name: excluded, type: none}]
        """
      }
      let configs = Configs(records: world.records, surroundings: world.surroundings)
      _ = try await configs.update(type: "runtime", name: "default", content: runtime("other"))
      #expect(try await deploy(world, manifest()).state == .done)
      _ = try await configs.update(type: "runtime", name: "default", content: runtime("data"))
      let task = try await deploy(world, manifest())
      #expect(task.state == .done, "\(task.result ?? "")")
      #expect(try await values(world)["/simulation/data/agent-port"] == "password-1")
      let without = runtime("data").split(separator: "\n").dropLast().joined(separator: "\n")
      _ = try await configs.update(
        type: "runtime", name: "default", content: without.replacing("agent-port", with: "none"))
      let refused = try await deploy(world, manifest())
      #expect(refused.result?.contains("variables without a value: 'none'") == true, "\(refused.result ?? "")")
    }
  }

  @Test(
    "definitions that cannot be carried out are refused",
    arguments: [
      ("{name: x, type: json}", "no value of type 'json' can be made"),
      ("{name: x, type: certificate, options: {ca: none}}", "its authority '/simulation/data/none' has no value"),
      ("{name: x, type: certificate, options: {ca: x}}", "they need each other in a circle"),
      ("{name: x, type: password, update: {strategy: on-stemcell-change}}", "on-stemcell-change is not there yet"),
      ("{name: x, type: password, options: {length: ((none))}}", "variables without a value: 'none'"),
      ("{name: 'a b', type: password}", "expected a name like"),
    ])
  func refused(definition: String, text: String) async throws {
    try await SimulatedWorld.run(seed: 980) { world in
      let task = try await deploy(world, manifest("1", "variables: [\(definition)]"))
      #expect(task.state == .error && task.result?.contains(text) == true, "\(task.result ?? "")")
      #expect(try await world.records.variables.list().isEmpty)
    }
  }
}
