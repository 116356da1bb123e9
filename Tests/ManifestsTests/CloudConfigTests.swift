import Formats
import Manifests
import Testing

@Suite struct CloudConfigTests {
  private func parse(_ texts: String...) throws -> CloudConfig { try CloudConfig(texts.map { try YAML.parse($0) }) }

  @Test("a whole cloud config is read")
  func whole() throws {
    let config = try parse(Fixtures.cloudConfig)
    guard case .manual(let subnets) = config.network("default")?.kind, let subnet = subnets.first else {
      Issue.record("default is no manual network")
      return
    }
    #expect(subnet.range.description == "10.0.0.0/24")
    #expect(subnet.reserved.description == "10.0.0.0 - 10.0.0.9, 10.0.0.255")
    #expect(subnet.staticAddresses.description == "10.0.0.10 - 10.0.0.19")
    #expect(subnet.dynamicAddresses.description == "10.0.0.20 - 10.0.0.254")
    #expect(subnet.isIn("z1") && !subnet.isIn("z3") && !subnet.isIn(nil))
    #expect(config.network("cloudy")?.type == "dynamic")
    #expect(config.network("public")?.type == "vip")
    #expect(config.network("default")?.azs == ["z1", "z2"])
    #expect(config.network("cloudy")?.azs == nil)
    #expect(config.vmType("small")?.cloudProperties["memory"] == 512)
    #expect(config.diskType("big")?.size == 10240)
    #expect(config.compilation.reuseVMs)
    #expect(config.compilation.vm == .request(.type("small")))
  }

  @Test(
    "a mistake is named by its field, with what is allowed",
    arguments: [
      ("range: 10.0.0.0/24", "range: 10.0.0.0", "networks[0].subnets[0].range: '10.0.0.0' is not a network", 160002),
      ("gateway: 10.0.0.1", "gateway: 10.1.0.1", "networks[0].subnets[0].gateway: 10.1.0.1 must be in", 160003),
      ("gateway: 10.0.0.1", "gateway: 10.0.0.255", "neither its first nor its last address", 160003),
      ("dns: [8.8.8.8]", "dns: [google]", "networks[0].subnets[0].dns[0]: 'google'", 160004),
      ("reserved: [10.0.0.2 - 10.0.0.9]", "reserved: [10.0.1.2]", "10.0.1.2 is outside of 10.0.0.0/24", 160005),
      ("static: [10.0.0.10 - 10.0.0.19]", "static: [10.0.1.1]", "10.0.1.1 is outside of 10.0.0.0/24", 160006),
      ("static: [10.0.0.10 - 10.0.0.19]", "static: [10.0.0.9]", "is in the reserved range", 160006),
      ("azs: [z1, z2]", "azs: [z9]", "there is no AZ 'z9'", 160007),
      ("azs: [z1, z2]", "azs: [z1, z2]\n    az: z1", "found both 'az' and 'azs'", 160009),
      ("type: dynamic", "type: magic", "expected one of 'manual', 'dynamic', 'vip', found 'magic'", nil),
      ("network: default, az: z1", "network: nowhere, az: z1", "there is no network 'nowhere'", 120001),
      ("network: default, az: z1", "network: default", "has no subnet in no AZ; expected one of z1, z2", 120002),
      ("network: default, az: z1", "network: default, az: z7", "there is no AZ 'z7'", 120002),
      ("workers: 2", "workers: 0", "compilation.workers: expected an integer from 1 to 1000", nil),
      ("vm_type: small, reuse", "vm_type: huge, reuse", "there is no VM type 'huge'", 120003),
      ("- {name: z2, ", "- {name: z1, ", "azs: the name 'z1' is there twice", 190017),
    ] as [(String, String, String, Int?)])
  func mistakes(_ old: String, _ new: String, _ expected: String, _ number: Int?) throws {
    let text = Fixtures.changed(Fixtures.cloudConfig, old, new)
    try #require(text != Fixtures.cloudConfig)
    let error = #expect(throws: DroverError.self) { try parse(text) }
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
    #expect(error?.number == number)
  }

  @Test("subnets of a network must not overlap, and say of all or of none where they are")
  func subnets() throws {
    func error(_ subnets: String) throws -> String? {
      let text = """
        azs: [{name: z1}]
        networks: [{name: n, subnets: [\(subnets)]}]
        compilation: {workers: 1, network: n}
        """
      do { _ = try parse(text) } catch let error as DroverError { return error.message }
      return nil
    }
    #expect(try error("{range: 10.0.0.0/24}, {range: 10.0.1.0/24}") == nil)
    #expect(try error("{range: 10.0.0.0/24}, {range: 10.0.0.128/25}")?.contains("overlaps 10.0.0.0/24") == true)
    #expect(try error("{range: 10.0.0.0/24, az: z1}, {range: 10.0.1.0/24}")?.contains("all subnets or none") == true)
    #expect(try error("{range: 10.0.0.0/24, prefix: 28}, {range: 10.0.1.0/24}")?.contains("same 'prefix'") == true)
    #expect(try error("")?.contains("at least one") == true)
  }

  @Test("several configs are put together, with unique names and one compilation")
  func merge() throws {
    let config = try parse(Fixtures.cloudConfig, "vm_types: [{name: large}]\nnetworks: [{name: other, type: vip}]")
    #expect(config.vmTypes.map(\.name) == ["small", "large"])
    #expect(config.networks.count == 4)
    #expect(throws: DroverError.self) { try parse(Fixtures.cloudConfig, "vm_types: [{name: small}]") }
    #expect(throws: DroverError.self) { try parse(Fixtures.cloudConfig, "compilation: {workers: 1, network: default}") }
    let missing = #expect(throws: DroverError.self) { try parse("networks: [{name: n, type: dynamic}]") }
    #expect(missing?.message.hasPrefix("compilation: missing") == true)
    #expect(throws: DroverError.self) { try parse("") }
  }
}

@Suite struct AddonTests {
  private let group: InstanceGroup
  private let subject: AddonSubject

  init() throws {
    let manifest = try DeploymentManifest(YAML.parse(Fixtures.manifest))
    group = try #require(manifest.instanceGroups.first)
    subject = AddonSubject(deployment: "redis", teams: ["data"], group: group, operatingSystem: "debian-bookworm")
  }

  @Test(
    "keys of a filter are joined by and, values by or; nothing said includes all and excludes none",
    arguments: [
      ("{}", "{}", true),
      ("{deployments: [other, redis]}", "{}", true),
      ("{deployments: [other]}", "{}", false),
      ("{deployments: [redis], networks: [other]}", "{}", false),
      ("{stemcell: [{os: debian-bookworm}]}", "{}", true),
      ("{jobs: [{name: redis, release: redis}]}", "{}", true),
      ("{jobs: [{name: redis, release: other}]}", "{}", false),
      ("{azs: [z2]}", "{}", true), ("{azs: [z3]}", "{}", false),
      ("{teams: [data]}", "{instance_groups: [redis]}", false),
      ("{}", "{instance_groups: [redis], azs: [z9]}", true),
      ("{lifecycle: errand}", "{}", false), ("{}", "{lifecycle: service}", false),
      ("{deployments: []}", "{}", false),
    ])
  func rules(_ include: String, _ exclude: String, _ applies: Bool) throws {
    let config = try RuntimeConfig([
      YAML.parse("addons: [{name: a, include: \(include), exclude: \(exclude)}]")
    ])
    #expect(config.addons.first?.applies(to: subject) == applies)
  }

  @Test(
    "runtime configs fit together or are refused",
    arguments: [
      ("releases: [{name: r, version: latest}]", "", "need a fixed version"),
      ("releases: [{name: r, version: 1}]", "releases: [{name: r, version: 2}]", "in versions 1 and 2"),
      ("addons: [{name: a, jobs: [{name: j, release: r}]}]", "", "not listed in 'releases'"),
      ("addons: [{name: a, jobs: [{name: j}]}]", "", "addons[0].jobs[0].release: missing"),
      ("addons: [{name: a}]", "addons: [{name: a}]", "'a' is there twice"),
      ("tags: {a: b}", "tags: {c: d}", "only one may have them"),
      ("addons: [{name: a, include: {jobs: [{name: j}]}}]", "", "expected both 'name' and 'release'"),
    ])
  func refused(_ first: String, _ second: String, _ expected: String) {
    let error = #expect(throws: DroverError.self) {
      try RuntimeConfig([YAML.parse(first), YAML.parse(second)])
    }
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
  }

  @Test("a deployment's own addons can't ask for a deployment")
  func ownAddons() {
    let text = Fixtures.manifest + "\naddons: [{name: a, include: {deployments: [x]}}]"
    let error = #expect(throws: DroverError.self) { try DeploymentManifest(YAML.parse(text)) }
    #expect(error?.number == 530006)
  }
}
