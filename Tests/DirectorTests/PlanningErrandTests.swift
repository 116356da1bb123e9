import AgentProtocol
import Formats
import Manifests
import Releases
import Testing

@testable import Director

@Suite struct PlanningErrandTests {
  private typealias Fixtures = PlanningFixtures

  /// The fixture with the errand's job on the service group `web` too, which is deployed.
  private func deployed(_ edit: (inout InstanceRecord) -> Void = { _ in }) throws -> ResolvedDeployment {
    let manifest = Fixtures.changed(
      "- name: web\n  instances: 1\n  azs: [z1]\n  jobs: [{name: client, release: redis}]",
      "- name: web\n  instances: 2\n  azs: [z1]\n  jobs: [{name: client, release: redis}, {name: smoke-tests, release: redis}]"
    )
    let first = try Fixtures.inputs(manifest).resolve()
    var records = Fixtures.deployed(first)
    for index in records.indices { edit(&records[index]) }
    return try Fixtures.inputs(manifest, instances: records, addresses: first.reservations).resolve()
  }

  @Test("errands are errand groups and jobs with bin/run")
  func names() throws { #expect(try deployed().errandNames == ["smoke", "smoke-tests"]) }

  @Test("a group's errand runs the first job of its first instance, on a VM of its own")
  func group() throws {
    let errand = try deployed().errand("smoke")
    #expect(errand.targets.map(\.instance.group) == ["smoke"])
    #expect(errand.targets[0].job == nil && errand.targets[0].script == "smoke-tests" && errand.targets[0].needsVM)
    #expect(errand.warnings.isEmpty)
  }

  @Test(
    "a job's errand runs wherever the job is, as far as filters say",
    arguments: [
      ([], ["web/0", "web/1", "smoke/0"], 1),
      ([ErrandFilter(group: "web")], ["web/0", "web/1"], 1),
      ([ErrandFilter(group: "web", id: "1")], ["web/1"], 0),
      ([ErrandFilter(group: "web", id: "first")], ["web/0"], 0),
      ([ErrandFilter(group: "web", id: "id-04")], ["web/1"], 0),
      ([ErrandFilter(group: "smoke"), ErrandFilter(group: "web", id: "0")], ["web/0", "smoke/0"], 0),
    ])
  func job(_ filters: [ErrandFilter], _ expected: [String], _ warnings: Int) throws {
    let errand = try deployed().errand("smoke-tests", filters: filters)
    #expect(errand.targets.map { "\($0.instance.group)/\($0.instance.index)" } == expected)
    #expect(errand.warnings.count == warnings)
    #expect(errand.targets.allSatisfy { $0.job == "smoke-tests" && $0.needsVM == ($0.instance.group == "smoke") })
  }

  @Test("so many instances are required of the groups that are asked for, not of others that have the errand, too")
  func countOfChosenGroup() throws {
    let resolved = try deployed()
    let web = try resolved.errand("smoke-tests", filters: [ErrandFilter(group: "web")], count: 2)
    #expect(web.targets.map(\.instance.group) == ["web", "web"])
    #expect(throws: DroverError.self) {
      try resolved.errand("smoke-tests", filters: [ErrandFilter(group: "smoke")], count: 2)
    }
    #expect(throws: DroverError.self) { try resolved.errand("smoke-tests", count: 2) }
  }

  @Test("as many as the manifest says of an errand's own group are not asked of another group that has the errand, too")
  func countOfOwnGroup() throws {
    func resolved(_ manifest: String) throws -> ResolvedDeployment {
      let first = try Fixtures.inputs(manifest).resolve()
      return try Fixtures.inputs(
        manifest, instances: Fixtures.deployed(first), addresses: first.reservations
      ).resolve()
    }
    let manifest =
      Fixtures.changed(
        "{name: client, release: redis}]", "{name: client, release: redis}, {name: smoke-tests, release: redis}]")
      + "\nerrands: [{name: smoke-tests, release: redis, instances: 3, vm_type: small, azs: [z1], networks: [{name: default}]}]\n"
    let entry = try #require(try DeploymentManifest(YAML.parse(manifest)).errands.first)
    let run = ErrandRun().completed(entry)
    let errand = try resolved(manifest).errand("smoke-tests", run)
    let groups = errand.targets.map(\.instance.group)
    #expect(groups.count { $0 == "smoke-tests" } == 3 && groups.count { $0 == "web" } == 1)
    // Who asks for so many asks it of all groups.
    var asked = run
    asked.countsOwnGroupOnly = nil
    #expect(throws: DroverError.self) { try resolved(manifest).errand("smoke-tests", asked) }
  }

  @Test(
    "what can't be run is refused in BOSH's words",
    arguments: [
      ("none", [], "Errand 'none' doesn't exist", 70009),
      (
        "redis", [],
        "Instance group 'redis' is not an errand. To mark an instance group as an errand set its lifecycle to 'errand' in "
          + "the deployment manifest.", 510000
      ),
      (
        "smoke", [ErrandFilter(group: "smoke")],
        "Filtering by instances is not allowed when running errand by instance group name", 510000
      ),
      (
        "smoke-tests", [ErrandFilter(group: "bogus", id: "0"), ErrandFilter(group: "web")],
        "No instances match selection criteria: [{\"group\"=>\"bogus\", \"id\"=>\"0\"}]", 510000
      ),
    ])
  func refused(_ name: String, _ filters: [ErrandFilter], _ expected: String, _ number: Int) throws {
    let error = #expect(throws: DroverError.self) { try deployed().errand(name, filters: filters) }
    #expect(error?.message == expected)
    #expect(error?.number == number)
  }

  @Test("stopped instances are refused, and those without VM skipped with a warning")
  func states() throws {
    let stopped = try deployed { if $0.id == "id-04" { $0.state = .stopped } }
    let error = #expect(throws: DroverError.self) { try stopped.errand("smoke-tests") }
    #expect(error?.message.contains("'web/id-04', which is stopped") == true)
    let missing = try deployed { if $0.id == "id-04" { $0.vm = nil } }.errand("smoke-tests")
    #expect(missing.targets.map(\.instance.group) == ["web", "smoke"])
    #expect(missing.warnings == ["Skipping instance: web/id-04 (1) no matching VM reference was found"])
  }

  @Test("an errand that has nothing to run on has not succeeded")
  func nothing() throws {
    let missing = try deployed { $0.vm = nil }
    let error = #expect(throws: DroverError.self) {
      try missing.errand("smoke-tests", filters: [ErrandFilter(group: "web")])
    }
    #expect(
      error?.message
        == "Errand 'smoke-tests' has nothing to run on: none of its instances has a VM; deploy, so that they are made")
  }

  @Test("an errand of a release is one wherever it is, and the spec says that it is")
  func ofRelease() throws {
    var release = Fixtures.release()
    release.jobs.append(
      Fixtures.job("check", ["name": "check", "templates": ["execute": "execute"], "packages": ["tools"]], .errand))
    let manifest = Fixtures.changed(
      "- name: web\n  instances: 1\n  azs: [z1]\n  jobs: [{name: client, release: redis}]",
      "- name: web\n  instances: 1\n  azs: [z1]\n  jobs: [{name: client, release: redis}, {name: check, release: redis}]"
    )
    let first = try Fixtures.inputs(manifest, releases: [release]).resolve()
    let resolved = try Fixtures.inputs(
      manifest, releases: [release], instances: Fixtures.deployed(first), addresses: first.reservations
    ).resolve()
    #expect(resolved.errandNames == ["check", "smoke", "smoke-tests"])
    let errand = try resolved.errand("check")
    #expect(errand.targets.map(\.instance.group) == ["web"])
    #expect(errand.targets.map(\.needsVM) == [false])
    #expect(resolved.runTimePackages(of: errand.targets[0].instance).map(\.package.name) == ["tools"])
    let spec = try resolved.applySpec(
      of: errand.targets[0].instance, rendered: RenderedInstance(configurationHash: "h", templateHashes: [:]),
      archive: .init(sha1: "s", blobstoreID: "b"),
      compiled: Dictionary(
        uniqueKeysWithValues: resolved.packages.targets.map {
          (
            $0.key,
            CompiledPackageRecord(
              name: $0.package.name, fingerprint: "", stemcell: "", key: $0.key, blobID: "", digest: "")
          )
        }))
    #expect(spec.job.templates.map(\.isErrand) == [false, true])
    #expect(spec.job.lifecycleNames == ["client"])
  }

  @Test("a group that is an errand runs its first job that is one")
  func firstErrand() throws {
    let manifest = Fixtures.changed(
      "jobs: [{name: smoke-tests, release: redis}]",
      "jobs: [{name: client, release: redis}, {name: smoke-tests, release: redis}]")
    #expect(try Fixtures.inputs(manifest).resolve().errand("smoke").targets.map(\.script) == ["smoke-tests"])
  }

  @Test("a group named like the job that only it has is no ambiguity")
  func sameName() throws {
    let manifest = Fixtures.changed("- name: smoke\n", "- name: smoke-tests\n")
    let errand = try Fixtures.inputs(manifest).resolve().errand("smoke-tests")
    #expect(errand.targets.map(\.job) == ["smoke-tests"])
    #expect(errand.warnings.isEmpty)
  }

  @Test("a group named like a job that others have too is ambiguous, and the job wins")
  func ambiguous() throws {
    let manifest = Fixtures.changed(
      "- name: smoke\n  lifecycle: errand\n  instances: 1\n  azs: [z1]\n",
      "- name: client\n  lifecycle: errand\n  instances: 1\n  azs: [z1]\n")
    var resolved = try Fixtures.inputs(manifest).resolve()
    for index in resolved.groups.indices where resolved.groups[index].name == "client" {
      resolved.groups[index].name = "smoke-tests"
    }
    for index in resolved.groups.indices where resolved.groups[index].name == "web" {
      resolved.groups[index].jobs += resolved.groups.flatMap(\.jobs).filter { $0.name == "smoke-tests" }
    }
    let errand = try resolved.errand("smoke-tests")
    #expect(errand.warnings.first?.hasPrefix("Ambiguous request") == true)
    #expect(errand.targets.contains { $0.needsVM })
  }

  @Test("an errand's VM is brought up like any other and deleted without touching address and disk")
  func steps() throws {
    let resolved = try deployed()
    let target = try #require(try resolved.errand("smoke").targets.first)
    let update = try resolved.update(
      of: target.instance, rendered: RenderedInstance(configurationHash: "h", templateHashes: [:]))
    #expect(update.change == .create)
    #expect(update.creationSteps.first == .createVM && update.steps.last == .postStart)
    var record = target.instance.record
    #expect(InstanceDeletion(errandVMOf: record).steps.isEmpty)
    record.vm = VMRecord(agentID: "a", cid: "v", stemcell: "s", recipe: "", createdAt: 0)
    record.disks = [DiskRecord(cid: "d", size: 1, cloudProperties: "{}")]
    #expect(
      InstanceDeletion(errandVMOf: record).steps
        == [.unmountDisk(.existing("d")), .detachDisk(.existing("d")), .deleteVM])
  }
}
