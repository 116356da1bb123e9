import Formats
import Releases
import Testing

@testable import Manifests

@Suite struct ManifestFormTests {
  /// As the proposal of errands has it, with what it leaves out put in.
  private static let proposal = """
    name: shop
    director_uuid: ignored
    release: {name: shop, version: 12}
    compilation: {workers: 2, network: default, reuse_compilation_vms: true, cloud_properties: {ram: 512}}
    update: {canaries: 1, max_in_flight: 2, canary_watch_time: 1000-30000, update_watch_time: 1000-30000}
    networks:
    - name: default
      type: manual
      subnets: [{range: 10.0.0.0/24, gateway: 10.0.0.1, static: [10.0.0.10 - 10.0.0.20], cloud_properties: {name: a}}]
    resource_pools:
    - name: default
      network: default
      size: 3
      stemcell: {name: bosh-runc-debian, version: latest}
      cloud_properties: {cpu: 1}
      env: {bosh: {password: x}}
    disk_pools:
    - {name: large, disk_size: 20480}
    jobs:
    - name: web
      template: nginx
      instances: 2
      resource_pool: default
      networks: [{name: default, static_ips: [10.0.0.10, 10.0.0.11]}]
      properties: {port: 80}
    - name: db
      templates: [{name: postgres}, {name: backup, release: shop}]
      instances: 1
      resource_pool: default
      persistent_disk_pool: large
    errands:
    - name: smoke_test
      release: shop
      templates:
      - name: smoke_test
      resource_pool: default
      networks:
      - name: default
        default: [dns, gateway]
    - name: migrate
      resource_pool: default
      persistent_disk: 20480
      instances: 1
    properties: {domain: example.com}
    """

  @Test("the proposal's manifest is taken apart into a manifest and a cloud config")
  func proposal() throws {
    let form = try ManifestForm(YAML.parse(Self.proposal))
    #expect(
      form.manifest
        == (try YAML.parse(
          """
          name: shop
          director_uuid: ignored
          releases: [{name: shop, version: 12}]
          stemcells: [{alias: bosh-runc-debian, name: bosh-runc-debian, version: latest}]
          update: {canaries: 1, max_in_flight: 2, canary_watch_time: 1000-30000, update_watch_time: 1000-30000}
          instance_groups:
          - name: web
            instances: 2
            jobs: [{name: nginx, release: shop}]
            vm_type: default
            stemcell: bosh-runc-debian
            env: {bosh: {password: x}}
            networks: [{name: default, static_ips: [10.0.0.10, 10.0.0.11]}]
            properties: {port: 80}
          - name: db
            instances: 1
            jobs: [{name: postgres, release: shop}, {name: backup, release: shop}]
            vm_type: default
            stemcell: bosh-runc-debian
            env: {bosh: {password: x}}
            networks: [{name: default}]
            persistent_disk_type: large
          - name: smoke_test
            lifecycle: errand
            instances: 1
            jobs: [{name: smoke_test, release: shop}]
            vm_type: default
            stemcell: bosh-runc-debian
            env: {bosh: {password: x}}
            networks: [{name: default, default: [dns, gateway]}]
          - name: migrate
            lifecycle: errand
            instances: 1
            jobs: [{name: migrate, release: shop}]
            vm_type: default
            stemcell: bosh-runc-debian
            env: {bosh: {password: x}}
            networks: [{name: default}]
            persistent_disk: 20480
          properties: {domain: example.com}
          """)))
    #expect(
      form.cloudConfig
        == (try YAML.parse(
          """
          networks:
          - name: default
            type: manual
            subnets: [{range: 10.0.0.0/24, gateway: 10.0.0.1, static: [10.0.0.10 - 10.0.0.20], cloud_properties: {name: a}}]
          vm_types: [{name: default, cloud_properties: {cpu: 1}}]
          disk_types: [{name: large, disk_size: 20480}]
          compilation: {workers: 2, network: default, reuse_compilation_vms: true, cloud_properties: {ram: 512}}
          """)))
    #expect(form.warnings.count == 6)
    #expect(form.warnings.contains { $0.hasPrefix("'jobs' is a key of version 1 manifests") })
    // Both halves are whole.
    let manifest = try DeploymentManifest(YAML.parse(Self.proposal))
    #expect(manifest.instanceGroups.map(\.name) == ["web", "db", "smoke_test", "migrate"])
    #expect(manifest.ownCloudConfig?.vmTypes.map(\.name) == ["default"])
    #expect(manifest.warnings == form.warnings)
  }

  @Test("translating twice changes nothing, and a manifest of version 2 stays as it is")
  func again() throws {
    let once = try ManifestForm(YAML.parse(Self.proposal))
    let twice = try ManifestForm(once.manifest)
    #expect(twice.manifest == once.manifest)
    #expect(twice.cloudConfig == nil)
    #expect(twice.warnings.isEmpty)
    let present = try YAML.parse(Fixtures.manifest)
    #expect(try ManifestForm(present).manifest == present)
    #expect(try DeploymentManifest(present).ownCloudConfig == nil)
  }

  @Test("errands at the top of a manifest of version 2 are groups that are errands, without a warning")
  func errands() throws {
    let text =
      Fixtures.manifest
      + "\nerrands: [{name: backup, jobs: [{name: smoke-tests, release: redis}], vm_type: small, networks: [{name: default}]}]\n"
    let manifest = try DeploymentManifest(YAML.parse(text))
    let group = try #require(manifest.instanceGroups.last)
    #expect(group.name == "backup")
    #expect(group.lifecycle == .errand)
    #expect(group.instances == 1)
    #expect(group.stemcell == manifest.stemcells.first?.alias)
    #expect(manifest.warnings.isEmpty)
    #expect(manifest.ownCloudConfig == nil)
  }

  @Test("errands at the top may speak of runs, of their own errands and of others, also when translated")
  func policies() throws {
    let text =
      Fixtures.manifest + """

        errands:
        - name: backup
          jobs: [{name: smoke-tests, release: redis}]
          vm_type: small
          networks: [{name: default}]
          timeout: 90
          leases: [{type: aws-account, as: account, wait: 30m}]
        - name: nightly
          errand: smoke-tests
          arguments: [--count, 3]
          environment: {LEVEL: 1}
          timeout: 1h
        - name: smoke-tests
        """
    let document = try YAML.parse(text)
    let manifest = try DeploymentManifest(document)
    #expect(manifest.instanceGroups.map(\.name).filter { $0 == "backup" || $0 == "nightly" } == ["backup"])
    #expect(manifest.errands.map(\.name) == ["backup", "nightly", "smoke-tests"])
    #expect(manifest.errands.map(\.errand) == ["backup", "smoke-tests", "smoke-tests"])
    #expect(manifest.errands.map(\.timeoutSeconds) == [90, 3600, nil])
    #expect(manifest.errands[1].arguments == ["--count", "3"])
    #expect(manifest.errands[1].environment == ["LEVEL": "1"])
    #expect(manifest.errands[0].leases == [ErrandLease(type: "aws-account", name: "account", waitSeconds: 1800)])
    let translated = try ManifestForm(document).manifest
    #expect(try DeploymentManifest(translated) == manifest)
    #expect(
      translated["errands"]?.array?.first == [
        "name": "backup", "timeout": 90, "leases": [["type": "aws-account", "as": "account", "wait": "30m"]],
      ])
  }

  @Test(
    "What an errand without jobs of its own cannot say is refused, with the place",
    arguments: [
      ("{name: a, timout: 3}", "errands[0].timout: unknown key"),
      ("{name: a, timeout: soon}", "errands[0].timeout: duration 'soon'"),
      ("{name: a, timeout: 0}", "errands[0].timeout: expected at least one second"),
      ("{name: a}, {name: a, errand: b}", "errands: the name 'a' is there twice"),
    ])
  func policyMistakes(_ entries: String, _ expected: String) throws {
    let error = #expect(throws: DroverError.self) {
      try DeploymentManifest(YAML.parse(Fixtures.manifest + "\nerrands: [\(entries)]\n"))
    }
    #expect(error.map { "\($0)".contains(expected) } == true, "\(String(describing: error))")
  }

  @Test("without networks of its own, a manifest of version 1 uses the cloud config")
  func cloudConfig() throws {
    let form = try ManifestForm(
      YAML.parse("name: a\njobs: [{name: web, template: [x, y], release: r, vm_type: small, stemcell: s}]"))
    #expect(form.cloudConfig == nil)
    #expect(
      form.manifest["instance_groups"]?[0]?["jobs"] == [["name": "x", "release": "r"], ["name": "y", "release": "r"]])
  }

  @Test("stemcells of one name in two versions are told apart")
  func stemcells() throws {
    let pools = (1...3).map { number -> Value in
      ["name": .string("p\(number)"), "stemcell": ["name": "debian", "version": .int(number < 3 ? number : 1)]]
    }
    let form = try ManifestForm(["networks": [["name": "n"]], "resource_pools": .array(pools)])
    #expect(form.manifest["stemcells"]?.array?.map { $0["alias"]?.string } == ["debian", "debian-2"])
    #expect(form.cloudConfig?["compilation"] == ["workers": 1, "network": "n"])
  }

  @Test(
    "mistakes name their place",
    arguments: [
      (
        "resource_pool: default\n  networks: [{name: default, static",
        "resource_pool: defualt\n  networks: [{name: default, static",
        "jobs[0].resource_pool: there is no resource pool 'defualt'; did you mean 'default'?"
      ),
      (
        "release: {name: shop, version: 12}", "releases: [{name: a, version: 1}, {name: b, version: 1}]",
        "jobs[0].templates[0]: 'nginx' names no release"
      ),
      (
        "- name: migrate\n", "- name: migrate\n  lifecycle: service\n",
        "errands[1].lifecycle: what stands under 'errands' is an errand"
      ),
      ("template: nginx", "template: [[nginx]]", "jobs[0].templates[0]: expected the name of a job"),
      (
        "stemcell: {name: bosh-runc-debian, version: latest}", "stemcell: {version: latest}",
        "resource_pools[0].stemcell.name: missing"
      ),
      (
        "stemcell: {name: bosh-runc-debian, version: latest}", "stemcell: {name: x}",
        "resource_pools[0].stemcell.version: missing"
      ),
      ("name: shop\n", "name: shop\nreleases: []\n", "release: found besides 'releases'"),
      ("name: shop\n", "name: shop\ninstance_groups: []\n", "can't stand beside 'instance_groups'"),
      (
        "disk_pools:\n", "- {name: default, stemcell: {name: x, version: 1}}\ndisk_pools:\n",
        "resource pool 'default' is there twice"
      ),
    ])
  func mistakes(_ old: String, _ new: String, _ expected: String) throws {
    let text = Fixtures.changed(Self.proposal, old, new)
    try #require(text != Self.proposal)
    let error = #expect(throws: DroverError.self) { try ManifestForm(YAML.parse(text)) }
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
  }
}
