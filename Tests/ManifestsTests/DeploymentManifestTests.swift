import Formats
import Manifests
import Testing

@Suite struct DeploymentManifestTests {
  private func parse(_ text: String) throws -> DeploymentManifest { try DeploymentManifest(YAML.parse(text)) }

  @Test("a whole manifest is read")
  func whole() throws {
    let manifest = try parse(Fixtures.manifest)
    #expect(manifest.name == "redis")
    #expect(manifest.releases.first?.version == .latest)
    #expect(manifest.stemcells.first?.version == .latestOf(["1"]))
    #expect(manifest.stemcells.first?.selector == .operatingSystem("debian-bookworm"))
    #expect(manifest.update.maxInFlight == .percent(50))
    #expect(manifest.update.canaryWatchTime == WatchTime(minimum: 1000, maximum: 30_000))
    #expect(manifest.update.updateWatchTime == WatchTime(minimum: 30_000, maximum: 30_000))
    #expect(manifest.update.serial)
    let redis = try #require(manifest.instanceGroups.first)
    #expect(redis.lifecycle == .service)
    #expect(redis.persistentDisk == .size(1024))
    #expect(redis.networks.first?.staticAddresses?.map(\.description) == ["10.0.0.10", "10.0.0.11"])
    #expect(redis.networks.first?.defaults == [.dns, .gateway])
    #expect(redis.jobs.first?.properties?["password"] == "((redis_password))")
    #expect(redis.jobs.first?.provides["redis"] == .settings(.init(alias: "main", shared: true, dnsAliases: [])))
    let errand = try #require(manifest.instanceGroups.last)
    #expect(errand.lifecycle == .errand)
    #expect(errand.update.canaries == .count(0))
    #expect(errand.update.maxInFlight == .percent(50))
    #expect(manifest.features.useDNSAddresses == false)
    #expect(manifest.tags == ["team": "data"])
    #expect(manifest.variables.first?.updateMode == nil)
  }

  @Test(
    "a mistake is named by its field, with what is allowed",
    arguments: [
      ("name: redis\n", "", "name: missing", nil),
      ("name: redis\n", "name: a/b\n", "name:", nil),
      ("instances: 2", "instances: two", "instance_groups[0].instances: expected an integer", nil),
      ("instances: 2", "instances: -1", "instance_groups[0].instances: expected an integer from 0", nil),
      ("instances: 2", "instances: 3", "has 2 static addresses for 3 instances", 150002),
      ("lifecycle: errand", "lifecycle: daily", "expected one of 'service', 'errand', found 'daily'", nil),
      ("max_in_flight: 50%", "max_in_flight: most", "update.max_in_flight:", nil),
      ("  canaries: 1\n", "", "update.canaries: missing", nil),
      ("update_watch_time: 30000", "update_watch_time: 5-2", "update.update_watch_time: expected milliseconds", 180001),
      ("vm_type: small", "vm_type: small\n  vm_resources: {cpu: 1}", "both 'vm_type' and 'vm_resources'", 190019),
      ("  vm_type: small\n  stemcell: default\n  persistent_disk: 1024", "  stemcell: x", "exactly one of", 190019),
      ("persistent_disk: 1024", "persistent_disk: 1\n  persistent_disk_type: big", "at most one of", 140013),
      (
        "static_ips: [10.0.0.10 - 10.0.0.11]", "static_ips: [10.0.0.300]", "networks[0].static_ips[0]: '10.0.0.300'",
        nil
      ),
      ("static_ips: [10.0.0.10 - 10.0.0.11]", "static_ips: [0.0.0.0/0]", "at most 10000 addresses", nil),
      ("static_ips: [10.0.0.10 - 10.0.0.11]", "static_ips: [10.0.0.1, 10.0.0.1]", "'10.0.0.1' is there twice", 150009),
      (
        "- name: smoke-tests\n  lifecycle", "- name: redis\n  lifecycle",
        "instance_groups: the name 'redis' is there twice", 190006
      ),
      ("{name: redis, version: latest}", "{name: redis}", "releases[0].version: missing", nil),
      ("os: debian-bookworm", "os: a, name: b", "found both 'os' and 'name'", 50006),
      ("os: debian-bookworm, ", "", "expected exactly one of 'os' and 'name'", nil),
      (
        "use_dns_addresses: false", "use_dns_addresses: maybe", "features.use_dns_addresses: expected true or false",
        560001
      ),
      ("{redis: {from: main}}", "{redis: {from: main, instances: []}}", "found both 'from' and 'instances'", 190016),
      ("networks: [{name: default}]", "networks: []", "instance_groups[1].networks: missing", 140009),
      ("networks: [{name: default}]", "networks: [{name: a}, {name: b}]", "one must have 'default: [dns]'", 150005),
      (
        "networks: [{name: default}]", "networks: [{name: a, default: [dns, gateway]}, {name: b, default: [dns]}]",
        "default 'dns' is claimed by a, b", 150004
      ),
      ("networks: [{name: default}]", "networks: [{name: a, default: [mail]}]", "found 'mail'", 150003),
      ("name: redis\n", "name: redis\njobs: []\n", "it is 'instance_groups' now", 140023),
      ("name: redis\n", "name: redis\nnetworks: []\n", "networks belong into the cloud config", 140026),
      ("name: redis\n", "name: redis\nazs: []\n", "azs: not allowed in a deployment manifest", 140028),
      ("vm_type: small", "resource_pool: x", "instance_groups[0].resource_pool", 140010),
    ] as [(String, String, String, Int?)])
  func mistakes(_ old: String, _ new: String, _ expected: String, _ number: Int?) throws {
    let text = Fixtures.changed(Fixtures.manifest, old, new)
    try #require(text != Fixtures.manifest)
    let error = #expect(throws: DroverError.self) { try parse(text) }
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
    #expect(error?.number == number)
  }

  @Test("a manifest that is no mapping is refused", arguments: ["", "- a", "text", "1"])
  func noMapping(_ text: String) { #expect(throws: DroverError.self) { try parse(text) } }

  @Test(
    "what a link may be is told apart",
    arguments: [
      ("nil", LinkConsumption.blocked),
      ("{}", .request(.init())), ("~", .request(.init())),
      ("{from: x, network: n, ip_addresses: true}", .request(.init(from: "x", network: "n", ipAddresses: true))),
      (
        "{instances: [{address: 1.2.3.4}], properties: {a: 1}}",
        .manual(["instances": [["address": "1.2.3.4"]], "properties": ["a": 1]])
      ),
    ])
  func consumption(_ text: String, _ expected: LinkConsumption) throws {
    let manifest = try parse(Fixtures.changed(Fixtures.manifest, "{redis: {from: main}}", "{redis: \(text)}"))
    #expect(manifest.instanceGroups.last?.jobs.first?.consumes["redis"] == expected)
  }

  @Test("mutated documents are read or refused, and nothing else", arguments: 0..<40)
  func fuzz(_ seed: Int) throws {
    var generator = SplitMix(seed: UInt64(seed))
    let documents = try [Fixtures.manifest, Fixtures.cloudConfig, Fixtures.runtimeConfig].map { try YAML.parse($0) }
    var refused = 0
    for _ in 0..<150 {
      for (index, document) in documents.enumerated() {
        let mutant = Mutation.mutate(document, &generator)
        do {
          switch index {
          case 0: _ = try DeploymentManifest(mutant)
          case 1: _ = try CloudConfig([mutant])
          default: _ = try RuntimeConfig([mutant])
          }
        } catch let error as DroverError {
          refused += 1
          #expect(!error.message.isEmpty)
        }
      }
    }
    #expect(refused > 0)
  }
}

/// Changes one place of a document to something odd.
enum Mutation {
  private static let odd: [Value] = [
    .null, true, -1, 0, 9_223_372_036_854_775_807, 1.5, "", "nil", "latest", "100%", "-", "10.0.0.0/0", "0.0.0.0 - 9",
    [], [:], [[]], [["name": "x"]], ["a": ["b": .null]], "a/b", "\u{0}", "10.0.0.1 - 10.0.0.0", "99999999999999999999%",
  ]

  static func mutate(_ value: Value, _ generator: inout SplitMix) -> Value {
    switch value {
    case .object(let object) where !object.isEmpty && Int.random(in: 0..<8, using: &generator) > 0:
      var object = object
      guard let key = object.keys.randomElement(using: &generator) else { return value }
      if Int.random(in: 0..<10, using: &generator) == 0 {
        object[key] = nil
      } else {
        object[key] = mutate(object[key] ?? .null, &generator)
      }
      return .object(object)
    case .array(var elements) where !elements.isEmpty && Int.random(in: 0..<8, using: &generator) > 0:
      let index = Int.random(in: elements.indices, using: &generator)
      if Int.random(in: 0..<10, using: &generator) == 0 {
        elements.append(elements[index])
      } else {
        elements[index] = mutate(elements[index], &generator)
      }
      return .array(elements)
    default: return odd.randomElement(using: &generator) ?? .null
    }
  }
}
