import AgentProtocol
import Formats
import Manifests
import Testing

@testable import Director

@Suite struct PlanningPlanTests {
  private typealias Fixtures = PlanningFixtures

  /// A world after its first deploy, and what planning says to another manifest in it.
  private func replan(
    _ manifest: String = Fixtures.manifest, hash: String = "h1", options: DeployOptions = DeployOptions(),
    releases: [ReleaseRecord] = [Fixtures.release()], stemcells: [StemcellRecord] = [Fixtures.stemcell],
    cloudConfig: String = Fixtures.cloudConfig, edit: (inout InstanceRecord) -> Void = { _ in }
  ) throws -> DeploymentPlan {
    let first = try Fixtures.inputs().resolve()
    var records = Fixtures.deployed(first)
    for index in records.indices { edit(&records[index]) }
    let resolved = try Fixtures.inputs(
      manifest, cloudConfig: cloudConfig, releases: releases, stemcells: stemcells, instances: records,
      addresses: first.reservations, options: options
    ).resolve()
    return try resolved.plan(
      rendered: Fixtures.rendered(resolved, hash), compiled: Set(resolved.packages.targets.map(\.key)))
  }

  private func steps(_ plan: DeploymentPlan, _ id: String) -> [String] {
    let update = plan.stages.flatMap { $0 }.flatMap(\.updates).first { $0.instance.id == id }
    return (update?.steps ?? []).map(\.description)
  }

  private func change(_ plan: DeploymentPlan, _ id: String) -> InstanceChange {
    plan.stages.flatMap { $0 }.flatMap(\.updates).first { $0.instance.id == id }?.change ?? .none
  }

  @Test("a first deploy compiles, makes all VMs and starts group by group, a canary first")
  func first() throws {
    let resolved = try Fixtures.inputs().resolve()
    let plan = try resolved.plan(rendered: Fixtures.rendered(resolved), compiled: [])
    #expect(plan.compilations.map(\.package.name) == ["lib", "gcc", "redis", "tools"])
    #expect(
      plan.missingVMs.map(\.instance.label) == [
        "redis/id-00 (0)", "redis/id-02 (2)", "redis/id-01 (1)", "web/id-03 (0)",
      ])
    #expect(
      plan.missingVMs[0].creationSteps == [.createVM, .setVMMetadata, .waitForAgent, .updateSettings, .applyIdentity])
    #expect(plan.stages.map { $0.map(\.group) } == [["redis"], ["web"]])
    #expect(
      plan.stages[0][0].batches == [
        UpdateBatch(az: "z1", isCanary: true, instances: ["id-00"], concurrency: 2),
        UpdateBatch(az: "z1", isCanary: false, instances: ["id-02"], concurrency: 2),
        UpdateBatch(az: "z2", isCanary: false, instances: ["id-01"], concurrency: 2),
      ])
    #expect(
      plan.stages[0][0].updates[0].steps.map(\.description) == [
        "create disk of 10240 MB", "attach the new disk", "announce the new disk to the agent", "mount the new disk",
        "update settings", "apply", "run pre-start", "start", "wait 1000 to 10000 ms until running", "run post-start",
      ])
    #expect(steps(plan, "id-01").contains("wait 2000 to 20000 ms until running"))
    #expect(plan.hasChanges)
  }

  @Test("an identical deploy has nothing to do, and says so")
  func identical() throws {
    let plan = try replan()
    #expect(plan.stages.isEmpty && plan.missingVMs.isEmpty && plan.deletions.isEmpty && plan.compilations.isEmpty)
    #expect(!plan.hasChanges)
    #expect(plan.lines == ["nothing to do"])
  }

  @Test("changed files are brought in place, with a drain between")
  func inPlace() throws {
    let plan = try replan(hash: "h2")
    #expect(change(plan, "id-00") == .update([.configuration]))
    #expect(
      steps(plan, "id-00") == [
        "prepare", "run pre-stop (VM: keep, instance: keep, deployment: keep)", "drain (update)", "stop",
        "run post-stop", "update settings", "apply", "run pre-start", "start", "wait 1000 to 10000 ms until running",
        "run post-start",
      ])
    #expect(plan.missingVMs.isEmpty)
  }

  @Test("without drain, pre-stop and drain are left out where asked")
  func skipDrain() throws {
    let plan = try replan(hash: "h2", options: DeployOptions(skipDrain: try SkipDrain("redis/id-00,web")))
    #expect(steps(plan, "id-00").prefix(3) == ["prepare", "stop", "run post-stop"])
    #expect(steps(plan, "id-01").contains("drain (update)"))
    #expect(!steps(plan, "id-03").contains("drain (update)"))
  }

  @Test("a VM is made anew for another stemcell, and its disk moves over")
  func recreate() throws {
    var newer = Fixtures.stemcell
    newer.version = "1.6"
    let plan = try replan(stemcells: [Fixtures.stemcell, newer])
    #expect(change(plan, "id-00") == .recreate([.stemcell]))
    #expect(
      steps(plan, "id-00") == [
        "run pre-stop (VM: delete, instance: keep, deployment: keep)", "drain (shutdown)", "stop", "run post-stop",
        "unmount disk disk-id-00", "detach disk disk-id-00", "delete VM", "create VM", "set VM metadata",
        "wait for the agent", "attach disk disk-id-00", "announce disk disk-id-00 to the agent",
        "mount disk disk-id-00", "update settings", "apply identity", "update settings", "apply", "run pre-start",
        "start", "wait 1000 to 10000 ms until running", "run post-start",
      ])
  }

  @Test(
    "every reason is told by its own name",
    arguments: [
      ("instances: 3", "instances: 3\n  env: {a: b}", InstanceChange.recreate([.env])),
      ("vm_extensions: [public]", "vm_extensions: []", .recreate([.cloudProperties])),
      ("instances: 3", "instances: 3\n  tags: {a: b}", .update([.tags])),
      ("persistent_disk_type: big", "persistent_disk: 100", .update([.persistentDisk])),
      ("  persistent_disk_type: big\n", "", .update([.persistentDisk])),
      (
        "jobs: [{name: redis, release: redis,", "jobs: [{name: client, release: redis}, {name: redis, release: redis,",
        .update([.job])
      ),
      (
        "  networks: [{name: default}]\n- name: web",
        "  networks: [{name: default}, {name: cloudy, default: [dns]}]\n- name: web",
        .none
      ),
    ] as [(String, String, InstanceChange)])
  func reasons(_ old: String, _ new: String, _ expected: InstanceChange) throws {
    let manifest = Fixtures.changed(old, new)
    if expected == .none {
      #expect(throws: DroverError.self) { try replan(manifest) }
    } else {
      #expect(change(try replan(manifest), "id-00") == expected)
    }
  }

  @Test("another package fingerprint is an update, another network setting a new VM")
  func packagesAndNetworks() throws {
    var release = Fixtures.release(version: "1.3.0")
    release.packages[1].fingerprint = "fp-new"
    #expect(change(try replan(releases: [Fixtures.release(), release]), "id-03") == .update([.packages]))
    let cloud = Fixtures.cloudConfig.replacing("dns: [8.8.8.8]", with: "dns: [9.9.9.9]")
    let plan = try replan(cloudConfig: cloud)
    #expect(change(plan, "id-00") == .recreate([.network]))
    #expect(change(plan, "id-01") == .none)
  }

  @Test("only tags are told to the cloud without stopping anything")
  func tags() throws {
    let plan = try replan(Fixtures.changed("instances: 3", "instances: 3\n  tags: {a: b}"))
    #expect(steps(plan, "id-00") == ["set VM metadata"])
  }

  @Test("a disk of another size is copied over before the old one is left")
  func disks() throws {
    let plan = try replan(Fixtures.changed("persistent_disk_type: big", "persistent_disk: 100"))
    let all = steps(plan, "id-00")
    #expect(all.contains("drain (shutdown)"))
    let start = try #require(all.firstIndex(of: "create disk of 100 MB"))
    #expect(
      Array(all[start..<(start + 9)]) == [
        "create disk of 100 MB", "attach the new disk", "announce the new disk to the agent", "mount the new disk",
        "migrate disk disk-id-00 to the new disk", "unmount disk disk-id-00",
        "make the agent forget disk disk-id-00", "detach disk disk-id-00", "orphan disk disk-id-00",
      ])
  }

  @Test("an agent that does not answer is not talked to: its VM is made anew")
  func unresponsive() throws {
    let plan = try replan(options: DeployOptions(unresponsive: ["id-01"]))
    #expect(change(plan, "id-01") == .recreate([.unresponsive]))
    #expect(steps(plan, "id-01").prefix(3) == ["detach disk disk-id-01", "delete VM", "create VM"])
    #expect(change(plan, "id-00") == .none)
  }

  @Test(
    "operators' wishes become states and steps",
    arguments: [
      (
        StateChange.Action.stopped, InstanceChange.update([.state]),
        ["run pre-stop (VM: keep, instance: keep, deployment: keep)", "drain (shutdown)", "stop", "run post-stop"]
      ),
      (
        .detached, .update([.state]),
        [
          "run pre-stop (VM: delete, instance: keep, deployment: keep)", "drain (shutdown)", "stop", "run post-stop",
          "delete VM",
        ]
      ),
      (.recreate, .recreate([.recreate]), nil), (.restart, .update([.restart]), nil), (.started, .none, []),
    ] as [(StateChange.Action, InstanceChange, [String]?)])
  func states(_ action: StateChange.Action, _ expected: InstanceChange, _ expectedSteps: [String]?) throws {
    let options = DeployOptions(changes: [StateChange(target: try InstanceSelector("web/0"), action: action)])
    let plan = try replan(options: options)
    #expect(change(plan, "id-03") == expected)
    #expect(change(plan, "id-00") == .none)
    if let expectedSteps { #expect(steps(plan, "id-03") == expectedSteps) }
  }

  @Test("a stopped instance is started without being stopped once more")
  func startAgain() throws {
    let options = DeployOptions(changes: [StateChange(target: try InstanceSelector("web"), action: .started)])
    let plan = try replan(options: options) { if $0.group == "web" { $0.state = .stopped } }
    #expect(
      steps(plan, "id-03") == [
        "prepare", "update settings", "apply", "run pre-start", "start", "wait 1000 to 10000 ms until running",
        "run post-start",
      ])
    #expect(try replan { if $0.group == "web" { $0.state = .stopped } }.stages.isEmpty)
  }

  @Test("a state that was written down and not reached is reached after a restart")
  func interruptedStop() throws {
    let options = DeployOptions(changes: [StateChange(target: try InstanceSelector("web"), action: .stopped)])
    let first = try Fixtures.inputs().resolve()
    let resolved = try Fixtures.inputs(
      instances: Fixtures.deployed(first), addresses: first.reservations, options: options
    ).resolve()
    let written = resolved.instances.map(\.record)
    let again = try Fixtures.inputs(instances: written, addresses: first.reservations, options: options).resolve()
    let plan = try again.plan(rendered: Fixtures.rendered(again), compiled: [])
    #expect(change(plan, "id-03") == .update([.dirty]))
    #expect(steps(plan, "id-03").contains("stop") && !steps(plan, "id-03").contains("start"))
  }

  @Test("what a task has made itself is not made anew when it goes on after a restart")
  func resuming() throws {
    let originals = ["id-00": "agent-id-00", "id-01": "older"]
    let options = DeployOptions(recreate: true, originalVMs: originals, finished: ["id-02"], resuming: true)
    let plan = try replan(options: options)
    #expect(change(plan, "id-00") == .recreate([.recreate]))
    #expect(change(plan, "id-01") == .none)
    #expect(change(plan, "id-02") == .none)
  }

  @Test("an instance whose making was interrupted is made further; one that failed later is stopped first")
  func interrupted() throws {
    func plan(_ resuming: Bool, spec: String?) throws -> [String] {
      let plan = try replan(options: DeployOptions(resuming: resuming)) {
        guard $0.group == "web" else { return }
        $0.fingerprint = nil
        $0.appliedSpec = spec
        $0.updateCompleted = false
      }
      #expect(change(plan, "id-03") == .update([.dirty]))
      return steps(plan, "id-03")
    }
    let making = [
      "set VM metadata", "wait for the agent", "update settings", "apply identity", "update settings", "apply",
      "run pre-start", "start", "wait 1000 to 10000 ms until running", "run post-start",
    ]
    #expect(try plan(true, spec: "{}") == making)
    #expect(try plan(false, spec: nil) == making)
    #expect(try plan(false, spec: "{}").contains("drain (update)"))
  }

  @Test("a dirty instance is updated again, one without VM gets one")
  func dirty() throws {
    let plan = try replan {
      if $0.id == "id-00" { $0.updateCompleted = false }
      if $0.id == "id-01" { $0.vm = nil }
    }
    #expect(change(plan, "id-00") == .update([.dirty]))
    #expect(change(plan, "id-01") == .create)
    #expect(plan.missingVMs.map(\.instance.id) == ["id-01"])
    #expect(plan.missingVMs[0].creationSteps.contains(.attachDisk(.existing("disk-id-01"))))
  }

  @Test("surplus instances go with their group's turn, those of gone groups before")
  func deletions() throws {
    let fewer = try replan(Fixtures.changed("instances: 3", "instances: 2"))
    let group = try #require(fewer.stages.first?.first)
    #expect(group.deletions.map(\.instance.id) == ["id-02"])
    #expect(
      group.deletions[0].steps.map(\.description) == [
        "run pre-stop (VM: delete, instance: delete, deployment: keep)", "drain (shutdown)", "stop", "run post-stop",
        "unmount disk disk-id-02", "detach disk disk-id-02", "delete VM", "orphan disk disk-id-02",
        "release addresses", "delete the instance's record",
      ])
    let manifest = Fixtures.manifest
    let start = try #require(manifest.firstRange(of: "- name: web")),
      end = try #require(manifest.firstRange(of: "- name: smoke"))
    let gone = try replan(String(manifest[..<start.lowerBound] + manifest[end.lowerBound...]))
    #expect(gone.deletions.map(\.instance.group) == ["web"])
    #expect(gone.stages.isEmpty && gone.hasChanges)
  }

  @Test("neighbouring groups that need not be serial are updated together")
  func stages() throws {
    let manifest = Fixtures.changed("update: {canaries: 1", "update: {serial: false, canaries: 1")
    let resolved = try Fixtures.inputs(manifest).resolve()
    let plan = try resolved.plan(rendered: Fixtures.rendered(resolved), compiled: [])
    #expect(plan.stages.map { $0.map(\.group) } == [["redis", "web"]])
  }

  @Test("the plan is printed as text and as a document")
  func printed() throws {
    let plan = try replan(hash: "h2")
    #expect(plan.lines.first == "update instance group redis:")
    #expect(plan.lines.contains("    redis/id-00 (0): update (configuration)"))
    #expect(plan.value["stages"]?[0]?[0]?["updates"]?[0]?["reasons"] == ["configuration"])
    #expect(try replan(hash: "h2") == plan)
  }

  @Test("instances that were not rendered are an error")
  func notRendered() throws {
    let resolved = try Fixtures.inputs().resolve()
    #expect(throws: DroverError.self) { try resolved.plan(rendered: [:], compiled: []) }
  }

  @Test("the apply spec names jobs, compiled packages, networks and the rendered archive")
  func applySpec() throws {
    let resolved = try Fixtures.inputs().resolve()
    let instance = try #require(resolved.group("redis")?.instances.first)
    let rendered = RenderedInstance(configurationHash: "h1", templateHashes: [:])
    let archive = ApplySpec.RenderedTemplatesArchive(sha1: "s", blobstoreID: "b")
    #expect(throws: DroverError.self) {
      try resolved.applySpec(of: instance, rendered: rendered, archive: archive, compiled: [:])
    }
    let compiled = Dictionary(
      uniqueKeysWithValues: resolved.packages.targets.map { target in
        (
          target.key,
          CompiledPackageRecord(
            name: target.package.name, fingerprint: target.package.fingerprint, stemcell: target.stemcell,
            key: target.key, blobID: "c-\(target.package.name)", digest: "d")
        )
      })
    let spec = try resolved.applySpec(of: instance, rendered: rendered, archive: archive, compiled: compiled)
    #expect(spec.packages.map(\.name) == ["redis", "tools"])
    #expect(spec.packages.first?.version == "fp-redis.1" && spec.packages.first?.blobstoreID == "c-redis")
    #expect(spec.job.templates.map(\.name) == ["redis"] && spec.configurationHash == "h1")
    #expect(spec.networks["default"]?["ip"] == "10.0.1.10" && spec.persistentDisk == 10240)
    let redis = try #require(resolved.packages.targets.first { $0.package.name == "redis" })
    #expect(
      try resolved.compilationDependencies(of: redis, compiled: compiled).map(\.name) == ["gcc", "lib"])
    #expect(resolved.environment(of: instance)["bosh"]?["group"] == "drover-data-redis")
    #expect(resolved.metadata(of: instance)["name"] == "redis/id-00")
  }
}

@Suite struct PlanningUpdateScheduleTests {
  private func policy(_ canaries: String, _ maxInFlight: String) throws -> UpdatePolicy {
    UpdatePolicy(
      canaries: try Amount(canaries), maxInFlight: try Amount(maxInFlight),
      canaryWatchTime: WatchTime(minimum: 1, maximum: 2), updateWatchTime: WatchTime(minimum: 1, maximum: 2))
  }

  @Test(
    "batches are in order: the bootstrap's AZ, no AZ, other AZs by name",
    arguments: [
      ("1", "1", "a b b -", 1, ["canary b 1: 1", "b 1: 2", "- 1: 3", "a 1: 0"]),
      ("0", "50%", "a a a a b", 0, ["a 2: 0 1 2 3", "b 1: 4"]),
      ("50%", "10", "a a b b", 0, ["canary a 10: 0 1", "b 10: 2 3"]),
      ("10%", "10%", "a a", 1, ["a 1: 1 0"]),
      ("5", "0", "a b", 0, ["canary a 1: 0", "b 1: 1"]),
      ("1", "1", "", 0, []),
    ])
  func order(_ canaries: String, _ maxInFlight: String, _ zones: String, _ home: Int, _ expected: [String]) throws {
    let members = zones.split(separator: " ").enumerated().map { index, zone in
      UpdateSchedule.Member(id: String(index), az: zone == "-" ? nil : String(zone), bootstrap: index == home)
    }
    let batches = try UpdateSchedule(policy: policy(canaries, maxInFlight), isFirstDeploy: false).batches(members)
    let found = batches.map {
      "\($0.isCanary ? "canary " : "")\($0.az ?? "-") \($0.concurrency): \($0.instances.joined(separator: " "))"
    }
    #expect(found == expected)
  }

  @Test("every instance is in exactly one batch, and no batch does more at once than allowed", arguments: 0..<100)
  func property(_ seed: Int) throws {
    var generator = SystemGenerator(seed: UInt64(seed))
    let members = (0..<Int.random(in: 0...30, using: &generator)).map { index in
      UpdateSchedule.Member(
        id: "\(index)", az: ["a", "b", "c", nil].randomElement(using: &generator) ?? nil, bootstrap: index == 3)
    }
    let inFlight = Int.random(in: 0...12, using: &generator)
    let canaries = Int.random(in: 0...5, using: &generator)
    var policy = try policy("\(canaries)", "\(inFlight)")
    if seed % 3 == 0 { policy.initialDeployAZUpdateStrategy = .parallel }
    let batches = UpdateSchedule(policy: policy, isFirstDeploy: seed % 2 == 0).batches(members)
    #expect(batches.flatMap(\.instances).sorted() == members.map(\.id).sorted())
    #expect(batches.allSatisfy { $0.concurrency == max(1, inFlight) && !$0.instances.isEmpty })
    #expect(batches.filter(\.isCanary).count <= 1)
    #expect((batches.first { $0.isCanary }?.instances.count ?? 0) <= canaries)
    #expect(batches.dropFirst().allSatisfy { !$0.isCanary })
  }

  @Test("an instance is asked at the minimum, then in steps of one to fifteen seconds, and at the end")
  func polls() {
    #expect(
      WatchTime(minimum: 1000, maximum: 10_000).polls == [1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10_000])
    #expect(WatchTime(minimum: 5000, maximum: 5000).polls == [5000])
    #expect(WatchTime(minimum: 0, maximum: 600_000).polls.prefix(3) == [0, 15_000, 30_000])
    #expect(WatchTime(minimum: 0, maximum: 1500).polls == [0, 1000, 1500])
  }
}
