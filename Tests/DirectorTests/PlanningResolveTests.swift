import Formats
import Manifests
import Testing

@testable import Director

@Suite struct PlanningResolveTests {
  private typealias Fixtures = PlanningFixtures

  @Test("names become records, and instances get identities, AZs and addresses")
  func resolve() throws {
    let resolved = try Fixtures.inputs().resolve()
    #expect(resolved.releaseNames == ["redis/1.2.0"])
    #expect(resolved.stemcellNames == ["runc-debian/1.5"])
    let redis = try #require(resolved.group("redis"))
    #expect(redis.instances.map(\.label) == ["redis/id-00 (0)", "redis/id-01 (1)", "redis/id-02 (2)"])
    #expect(redis.instances.map(\.az) == ["z1", "z2", "z1"])
    #expect(redis.instances.map(\.bootstrap) == [true, false, false])
    #expect(redis.instances.map { $0.addresses["default"] } == ["10.0.1.10", "10.0.2.2", "10.0.1.11"])
    #expect(redis.disk == ResolvedDisk(size: 10240, cloudProperties: ["ssd": true]))
    #expect(
      redis.instances[0].cloudProperties == ["zone": "a", "memory": 512, "public": true, "shared": "extension"])
    #expect(
      redis.instances[1].networks["default"]
        == [
          "type": "manual", "ip": "10.0.2.2", "prefix": "32", "netmask": "255.255.255.240", "gateway": "10.0.2.1",
          "cloud_properties": [:], "default": ["dns", "gateway"],
        ])
    #expect(redis.instances[0].networks["default"]?["dns"] == ["8.8.8.8"])
    #expect(
      resolved.reservations.first
        == AddressRecord(
          network: "default", address: "10.0.1.10", deployment: "data", holder: "data/redis/id-00"))
    #expect(resolved.reservations.count == 5)
  }

  @Test("equal inputs give equal results, and a second deploy keeps everybody where they are")
  func stable() throws {
    let first = try Fixtures.inputs().resolve()
    #expect(try Fixtures.inputs().resolve() == first)
    let again = try Fixtures.inputs(instances: Fixtures.deployed(first), addresses: first.reservations).resolve()
    #expect(again.instances.map(\.label) == first.instances.map(\.label))
    #expect(again.instances.map(\.addresses) == first.instances.map(\.addresses))
    #expect(again.instances.map(\.recipe) == first.instances.map(\.recipe))
    #expect(again.reservations.isEmpty && again.releasedAddresses.isEmpty && again.obsolete.isEmpty)
  }

  @Test("properties are those that the spec declares, as given or by default")
  func properties() throws {
    let job = try #require(try Fixtures.inputs().resolve().group("redis")?.jobs.first)
    #expect(job.properties == ["port": 7000, "secret": "((password))", "limits": ["clients": 10]])
  }

  @Test("a link without a word finds the only provider, with its properties and instances")
  func links() throws {
    let resolved = try Fixtures.inputs().resolve()
    let link = try #require(resolved.group("web")?.jobs.first?.links["store"])
    #expect(link["deployment_name"] == "data")
    #expect(link["instance_group"] == "redis")
    #expect(link["default_network"] == "default")
    #expect(link["properties"] == ["port": 7000, "limits": ["clients": 10]])
    #expect(link["instances"]?.array?.count == 3)
    #expect(
      link["instances"]?[1]
        == [
          "name": "redis", "id": "id-01", "index": 1, "bootstrap": false, "az": "z2", "address": "10.0.2.2",
        ])
    #expect(resolved.group("web")?.jobs.first?.links["cache"] == nil)
    #expect(resolved.group("redis")?.jobs.first?.providedLinks.count == 1)
  }

  @Test(
    "what a manifest says about links is done or named",
    arguments: [
      ("{name: client, release: redis, consumes: {store: nil}}", "link 'store' with type 'kv' from job 'client'"),
      ("{name: client, release: redis, consumes: {store: {from: x}}}", "with alias 'x' and type 'kv'"),
      ("{name: client, release: redis, consumes: {stores: {}}}", "does not define consumer 'stores'"),
      ("{name: client, release: redis, consumes: {store: {network: n}}}", "does not belong to network 'n'"),
      ("{name: client, release: redis, consumes: {store: {deployment: o}}}", "not supported yet"),
      ("{name: client, release: redis, provides: {store: {}}}", "does not define link provider 'store'"),
      (
        "{name: client, release: redis, custom_provider_definitions: [{name: s, type: kv}]}",
        "Multiple link providers found:"
      ),
      (
        "{name: client, release: redis, custom_provider_definitions: [{name: s, type: x, properties: [p]}]}",
        "Link property p in template client is not defined"
      ),
    ])
  func badLinks(_ job: String, _ expected: String) throws {
    let manifest = Fixtures.changed("{name: client, release: redis}", job)
    let error = #expect(throws: DroverError.self) { try Fixtures.inputs(manifest).resolve() }
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
    #expect(error?.message.hasPrefix("Failed to resolve links from deployment 'data'. See errors below:") == true)
    #expect(error?.number == 810000)
  }

  @Test("a link may be blocked at its provider, renamed, or be written out")
  func otherLinks() throws {
    let manual = Fixtures.changed(
      "{name: client, release: redis}",
      "{name: client, release: redis, consumes: {store: {instances: [{address: a}], properties: {port: 1}}}}")
    let link = try Fixtures.inputs(manual).resolve().group("web")?.jobs.first?.links["store"]
    #expect(link?["instances"] == [["address": "a"]])
    #expect(link?["properties"] == ["port": 1])
    let renamed = Fixtures.changed(
      "secret: ((password))}}", "secret: x}, provides: {store: {as: main}}}")
    #expect(try Fixtures.inputs(renamed).resolve().group("web")?.jobs.first?.links["store"] != nil)
    let blocked = Fixtures.changed("secret: ((password))}}", "secret: x}, provides: {store: nil}}")
    let error = #expect(throws: DroverError.self) { try Fixtures.inputs(blocked).resolve() }
    #expect(error?.message.contains("No link providers found") == true)
  }

  @Test(
    "everything that does not fit is named, all of it at once",
    arguments: [
      ("version: latest}]\nstemcells", "version: 9}]\nstemcells", ["Release version 'redis/9' doesn't exist"], 30006),
      ("name: redis, version: latest", "name: nope, version: 1", ["Release 'nope' doesn't exist"], 30005),
      ("os: debian", "os: windows", ["Stemcell version 'latest' for OS 'windows' doesn't exist"], 50003),
      ("vm_type: small", "vm_type: big", ["'redis' references an unknown vm type 'big'"], 140004),
      ("persistent_disk_type: big", "persistent_disk_type: x", ["unknown disk type 'x'"], 140012),
      ("azs: [z1, z2]", "azs: [z1, z9]", ["references unknown AZ 'z9'"], 140018),
      ("azs: [z1, z2]", "azs: []", ["must specify availability zone"], 150006),
      ("networks: [{name: default}]", "networks: [{name: none}]", ["unknown network 'none'"], 150001),
      (
        "{name: client, release: redis}", "{name: nope, release: redis}", ["Job 'nope' not found in Release 'redis'"],
        190011
      ),
      ("{name: client, release: redis}", "{name: client, release: other}", ["unknown release 'other'"], 140002),
      (
        "jobs: [{name: redis, release: redis, properties: {port: 7000",
        "jobs: [{name: redis, release: redis, properties: {limits: 5",
        ["Property 'limits.clients' expects a hash, but received 'Integer'"], nil
      ),
      ("vm_extensions: [public]\n  stemcell: default", "vm_extensions: [a]\n  stemcell: b", ["'a'", "'b'"], 140005),
    ] as [(String, String, [String], Int?)])
  func mistakes(_ old: String, _ new: String, _ expected: [String], _ number: Int?) throws {
    let manifest = Fixtures.changed(old, new)
    let error = #expect(throws: DroverError.self) { try Fixtures.inputs(manifest).resolve() }
    for text in expected { #expect(error?.message.contains(text) == true, "\(String(describing: error))") }
    #expect(error?.number == number)
  }

  @Test("amounts of the command line replace the manifest's, and must be amounts")
  func amounts() throws {
    let options = DeployOptions(canaries: "0", maxInFlight: "50%")
    let update = try #require(try Fixtures.inputs(options: options).resolve().group("redis")?.update)
    #expect(update.canaries == .count(0) && update.maxInFlight == .percent(50))
    let error = #expect(throws: DroverError.self) {
      try Fixtures.inputs(options: DeployOptions(canaries: "many")).resolve()
    }
    #expect(error?.message.contains("canaries: expected a number or a percentage") == true)
  }

  @Test("addons append their jobs where their rules say so, with the runtime config's release")
  func addons() throws {
    let runtime = """
      releases: [{name: tools, version: 3}]
      addons: [{name: a, jobs: [{name: agent, release: tools, properties: {level: 2}}], exclude: {lifecycle: errand}}]
      tags: {owner: ops}
      """
    let tools = ReleaseRecord(
      name: "tools", version: "3", commitHash: "", uncommittedChanges: false,
      jobs: [Fixtures.job("agent", ["name": "agent", "templates": [:], "properties": ["level": [:]]])], packages: [])
    let resolved = try Fixtures.inputs(runtimeConfig: runtime, releases: [Fixtures.release(), tools]).resolve()
    #expect(resolved.group("redis")?.jobs.map(\.name) == ["redis", "agent"])
    #expect(resolved.group("smoke")?.jobs.map(\.name) == ["smoke-tests"])
    #expect(resolved.group("web")?.jobs.last?.properties == ["level": 2])
    #expect(resolved.releaseNames == ["redis/1.2.0", "tools/3"])
    #expect(resolved.group("web")?.tags == ["owner": "ops"])
    let unused = runtime.replacing("exclude: {lifecycle: errand}", with: "include: {deployments: [other]}")
    #expect(
      try Fixtures.inputs(runtimeConfig: unused, releases: [Fixtures.release(), tools]).resolve().releases.count == 1)
  }

  @Test("packages come after their dependencies; only missing ones are compiled, and those that are ready first")
  func packages() throws {
    let graph = try Fixtures.inputs().resolve().packages
    #expect(graph.targets.map(\.package.name) == ["lib", "gcc", "redis", "tools"])
    let key = Dictionary(uniqueKeysWithValues: graph.targets.map { ($0.package.name, $0.key) })
    let (lib, gcc, redis, tools) = (key["lib"] ?? "", key["gcc"] ?? "", key["redis"] ?? "", key["tools"] ?? "")
    #expect(graph.target(redis)?.transitiveDependencies == [gcc, lib])
    #expect(graph.missing([]).map(\.key) == [lib, gcc, redis, tools])
    #expect(graph.missing([redis]).map(\.key) == [tools])
    #expect(graph.missing([gcc]).map(\.key) == [lib, redis, tools])
    #expect(graph.ready([]).map(\.key) == [lib, tools])
    #expect(graph.ready([lib, tools]).map(\.key) == [gcc])
    #expect(graph.ready([lib, gcc], running: [redis]).map(\.key) == [tools])
    var other = Fixtures.release()
    other.packages[3].fingerprint = "changed"
    let changed = try Fixtures.inputs(releases: [other]).resolve().packages
    let keys = Dictionary(uniqueKeysWithValues: changed.targets.map { ($0.package.name, $0.key) })
    #expect(keys["redis"] != redis && keys["gcc"] != gcc && keys["tools"] == tools)
  }

  @Test("packages in a circle or without a dependency are refused")
  func circles() throws {
    var release = Fixtures.release()
    release.packages[3].dependencies = ["redis"]
    let error = #expect(throws: DroverError.self) { try Fixtures.inputs(releases: [release]).resolve() }
    #expect(error?.message.contains("redis -> gcc -> lib -> redis") == true)
    release.packages[3].dependencies = ["none"]
    let missing = #expect(throws: DroverError.self) { try Fixtures.inputs(releases: [release]).resolve() }
    #expect(missing?.message.contains("'none'") == true)
  }

  @Test("templates see the instance, its networks, links and release")
  func templateSpec() throws {
    let resolved = try Fixtures.inputs().resolve()
    let group = try #require(resolved.group("redis"))
    let spec = resolved.templateSpec(of: group.jobs[0], on: group.instances[1])
    #expect(spec["deployment"] == "data" && spec["name"] == "redis" && spec["job"]?["name"] == "redis")
    #expect(spec["index"] == 1 && spec["id"] == "id-01" && spec["az"] == "z2" && spec["bootstrap"] == false)
    #expect(spec["ip"] == "10.0.2.2" && spec["address"] == "10.0.2.2" && spec["persistent_disk"] == 10240)
    #expect(spec["release"] == ["name": "redis", "version": "1.2.0"])
    #expect(spec["networks"]?["default"]?["dns_record_name"] == "1.redis.default.data.bosh")
    #expect(spec["properties"]?["port"] == 7000)
  }

  @Test("a dynamic network has an address once the agent has told it")
  func dynamicNetwork() throws {
    let manifest = Fixtures.changed(
      "  stemcell: default\n  networks: [{name: default}]", "  stemcell: default\n  networks: [{name: cloudy}]")
    let resolved = try Fixtures.inputs(manifest).resolve()
    let group = try #require(resolved.groups.first { $0.networks.first?.name == "cloudy" })
    let instance = group.instances[0]
    let before = resolved.templateSpec(of: group.jobs[0], on: instance)
    #expect(before["networks"]?["cloudy"]?["ip"] == "127.0.0.1")
    #expect(before["address"] == "\(instance.id).web.cloudy.data.bosh".formatted(for: group.name))
    let after = resolved.templateSpec(of: group.jobs[0], on: instance, networks: ["cloudy": ["ip": "10.9.9.9"]])
    #expect(after["ip"] == "10.9.9.9")
    #expect(instance.addresses.isEmpty)
    // It can be planned, and not be carried out yet.
    let error = try #require(throws: DroverError.self) { try resolved.refuseDynamicNetworks() }
    #expect(error.message.contains("Instance group '\(group.name)': network 'cloudy' is of type dynamic"), "\(error)")
    try Fixtures.inputs().resolve().refuseDynamicNetworks()
  }

  @Test("compilation VMs get the lowest address that nobody has or will have")
  func compilationSite() throws {
    let site = try Fixtures.inputs().resolve().compilation
    let first = try #require(site.nextAddress(excluding: []))
    #expect(first.description == "10.0.1.14")
    #expect(site.nextAddress(excluding: [first])?.description == "10.0.1.15")
    #expect(try site.networks(address: first)["default"]?["ip"] == "10.0.1.14")
    #expect(throws: DroverError.self) { try site.networks(address: nil) }
    #expect(site.cloudProperties["memory"] == 512 && site.cloudProperties["zone"] == "a")
  }
}

extension String {
  fileprivate func formatted(for group: String) -> Value { .string(replacing(".web.", with: ".\(group).")) }
}
