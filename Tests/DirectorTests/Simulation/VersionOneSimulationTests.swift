import Documents
import Formats
import Releases
import Testing

@testable import Director

/// Manifests of version 1, as the proposal of errands writes them.
@Suite struct VersionOneSimulationTests {
  private static let manifest = """
    name: data
    release: {name: data, version: latest}
    compilation: {workers: 2, network: own, cloud_properties: {}}
    update: {canaries: 1, max_in_flight: 1, canary_watch_time: 1000-30000, update_watch_time: 1000-30000}
    networks:
    - name: own
      subnets: [{range: 10.99.0.0/24, gateway: 10.99.0.1, dns: [], cloud_properties: {}}]
    resource_pools:
    - {name: pool, network: own, stemcell: {name: debian, version: latest}, cloud_properties: {}}
    jobs:
    - {name: web, template: web, instances: 2, resource_pool: pool}
    errands:
    - name: smoke_test
      release: data
      templates: [{name: smoke-tests}]
      resource_pool: pool
      networks: [{name: own, default: [dns, gateway]}]
    - name: verify_all
      release: data
      templates: [{name: verify}]
      resource_pool: pool
      networks: [{name: own}]
    """

  /// Adds an errand, `verify`, to the world's release.
  private func addErrand(to world: SimulatedWorld) async throws {
    let entry = try #require(try await world.records.releases.list(prefix: "data/").last)
    var release = entry.body
    let job = try #require(release.jobs.first { $0.name == "smoke-tests" })
    release.jobs.append(
      JobRecord(
        name: "verify", fingerprint: "fp-verify", blobID: job.blobID, digest: job.digest,
        spec: #"{"name": "verify", "templates": {"run": "execute"}, "packages": ["tools"]}"#, kind: .errand))
    try await world.records.releases.put(entry.name, release)
  }

  @Test("One is deployed as it is, on its own networks, and its errands run")
  func deploys() async throws {
    try await SimulatedWorld.run(seed: 91) { world in
      try await addErrand(to: world)
      try await world.withDirector { director in
        let deploy = try await director.deploy(DeployOrder(manifest: Self.manifest), user: "admin")
        let deployed = try await director.tasks.wait(for: deploy)
        try #require(deployed.state == .done, "\(deployed.result ?? "")")
        let warnings = try await world.lines(deploy, .event).filter { $0.contains("is a key of version 1 manifests") }
        #expect(warnings.count == 5)
        let instances = try await world.records.instances.list().map(\.body)
        #expect(instances.count { $0.group == "web" && $0.vm != nil } == 2)
        #expect(instances.flatMap(\.addresses.values).allSatisfy { $0.hasPrefix("10.99.0.") })
        #expect(
          try await director.errands("data").sorted() == ["smoke-tests", "smoke_test", "verify", "verify_all", "web"])
        for name in ["smoke_test", "smoke-tests", "web", "verify_all", "verify"] {
          let run = try await director.runErrand(name, in: "data", ErrandRun(), user: "admin")
          let ended = try await director.tasks.wait(for: run)
          #expect(ended.state == .done, "\(name): \(ended.result ?? "")")
        }
        #expect(world.behaviour.deeds.count { $0.name == "errand smoke-tests" } == 2)
        #expect(world.behaviour.deeds.count { $0.name == "errand verify" } == 2)
        // The same again changes nothing.
        world.behaviour.forget()
        let again = try await director.deploy(DeployOrder(manifest: Self.manifest), user: "admin")
        #expect(try await director.tasks.wait(for: again).state == .done)
        #expect(world.behaviour.deeds.isEmpty)
        try await world.checkTidy()
      }
    }
  }
}
