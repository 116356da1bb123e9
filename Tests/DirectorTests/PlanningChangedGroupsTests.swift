import Manifests
import Testing

@testable import Director

/// Which groups a deploy has for itself.
@Suite struct PlanningChangedGroupsTests {
  private typealias Fixtures = PlanningFixtures

  /// What has to change in a world after its first deploy.
  private func changed(
    _ manifest: String = Fixtures.manifest, hash: String = "h1", options: DeployOptions = DeployOptions(),
    releases: [ReleaseRecord] = [Fixtures.release()], stemcells: [StemcellRecord] = [Fixtures.stemcell],
    cloudConfig: String = Fixtures.cloudConfig, isKnown: Bool = true,
    edit: (inout InstanceRecord) -> Void = { _ in }
  ) throws -> Set<String> {
    let first = try Fixtures.inputs().resolve()
    var records = Fixtures.deployed(first)
    for index in records.indices { edit(&records[index]) }
    let deployed = try Fixtures.inputs(instances: records, addresses: first.reservations).resolve()
    var inputs = try Fixtures.inputs(
      manifest, cloudConfig: cloudConfig, releases: releases, stemcells: stemcells, instances: records,
      addresses: first.reservations, options: options)
    let identifiers = Fixtures.identifiers()
    inputs.newIdentifier = NewIdentifier { "new-\(identifiers())" }
    let resolved = try inputs.resolve()
    let plan = try resolved.plan(
      rendered: Fixtures.rendered(resolved, hash), compiled: Set(resolved.packages.targets.map(\.key)))
    return resolved.changedGroups(by: plan, from: isKnown ? deployed : nil)
  }

  private let all: Set = ["redis", "web", "smoke"]

  @Test("Nothing changed is no group; all of them when it is not known what was deployed")
  func nothing() throws {
    #expect(try changed() == [])
    #expect(try changed(isKnown: false) == all)
    #expect(try changed(options: DeployOptions(canaries: "50%", maxInFlight: "7")) == [])
  }

  @Test("A group that an errand's templates have a link to changes the errand; the others go on")
  func links() throws {
    let more = Fixtures.changed("name: redis\n  instances: 3", "name: redis\n  instances: 4")
    #expect(try changed(more) == ["redis", "smoke"])
    let fewer = Fixtures.changed("name: redis\n  instances: 3", "name: redis\n  instances: 2")
    #expect(try changed(fewer) == ["redis", "smoke"])
    let web = Fixtures.changed("name: web\n  instances: 1", "name: web\n  instances: 2")
    #expect(try changed(web) == ["web"])
  }

  @Test("What is rendered otherwise, made anew, stopped or not as it should be changes its group")
  func instances() throws {
    #expect(try changed(hash: "h2") == ["redis", "web"])
    let newer = StemcellRecord(
      name: "runc-debian", version: "1.6", operatingSystem: "debian", cid: "sc-2", apiVersion: 3)
    #expect(try changed(stemcells: [Fixtures.stemcell, newer]) == all)
    let stop = StateChange(target: try InstanceSelector("web"), action: .stopped)
    #expect(try changed(options: DeployOptions(changes: [stop])) == ["web"])
    let restart = StateChange(target: try InstanceSelector("redis/0"), action: .restart)
    #expect(try changed(options: DeployOptions(changes: [restart])) == ["redis"])
    #expect(try changed(options: DeployOptions(recreate: true)) == ["redis", "web"])
    #expect(try changed(options: DeployOptions(unresponsive: ["id-03"])) == ["web"])
    #expect(try changed { if $0.group == "web" { $0.updateCompleted = false } } == ["web"])
    #expect(try changed { if $0.group == "web" { $0.vm = nil } } == ["web"])
    let disk = Fixtures.cloudConfig.replacing("disk_size: 10240", with: "disk_size: 20480")
    #expect(try changed(cloudConfig: disk) == ["redis"])
  }

  @Test("What is only written down anew changes its group, too")
  func records() throws {
    #expect(try changed { if $0.group == "web" { $0.bootstrap = false } } == ["web"])
    #expect(try changed { if $0.group == "smoke" { $0.addresses = [:] } } == ["smoke"])
  }

  @Test("An errand's VM is nothing that a deploy changes")
  func errandVM() throws {
    let vm = VMRecord(agentID: "a", cid: "vm", stemcell: "s", recipe: "r", createdAt: 1)
    #expect(try changed { if $0.group == "smoke" { ($0.vm, $0.updateCompleted) = (vm, true) } } == [])
  }

  @Test("Groups that come, go and are renamed are changed by both their names")
  func names() throws {
    let renamed = Fixtures.changed("- name: web\n", "- name: front\n  migrated_from: [{name: web}]\n")
    #expect(try changed(renamed) == ["web", "front"])
    let gone = Fixtures.changed("lifecycle: errand\n  instances: 1", "lifecycle: errand\n  instances: 0")
    #expect(try changed(gone) == ["smoke"])
    let service = Fixtures.changed("lifecycle: errand\n", "lifecycle: service\n")
    #expect(try changed(service) == ["smoke"])
  }

  @Test("What an errand's VM is made of changes its group; of a running instance only what is applied to it")
  func definitions() throws {
    // The same jobs in another version of the release: nothing is to be done with what runs.
    #expect(try changed(releases: [Fixtures.release(version: "1.3.0")]) == ["smoke"])
    let tags = Fixtures.manifest + "\ntags: {owner: me}\n"
    #expect(try changed(tags) == all)
    let lease = Fixtures.changed(
      "{name: client, release: redis}", "{name: client, release: redis, leases: [{type: account}]}")
    #expect(try changed(lease) == ["web"])
  }

  @Test("What was deployed fits also while there is no address for one of its instances, which is left out")
  func homeless() throws {
    let first = try Fixtures.inputs().resolve()
    let records = Fixtures.deployed(first).filter { $0.group != "redis" || $0.az == "z1" }
    let gone = Set(Fixtures.deployed(first).map(\.documentName)).subtracting(records.map(\.documentName))
    // Somebody else has got all the rest of that network.
    let taken = (1...14).map {
      AddressRecord(network: "default", address: "10.0.2.\($0)", deployment: "other", holder: "other")
    }
    var inputs = try Fixtures.inputs(
      instances: records, addresses: first.reservations.filter { !gone.contains($0.holder) } + taken)
    #expect(throws: (any Error).self) { try inputs.resolve() }
    inputs.newIdentifier = NewIdentifier { "new" }
    inputs.leavesOutHomeless = true
    let resolved = try inputs.resolve()
    #expect(resolved.group("redis")?.instances.count == 2)
    #expect(try resolved.errand("smoke").targets.count == 1)
  }
}
