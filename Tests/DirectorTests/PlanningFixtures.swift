import AgentProtocol
import Formats
import Manifests
import Releases

@testable import Director

/// A small world to plan in: a release with redis, a client and an errand, a stemcell, a cloud config with two AZs.
enum PlanningFixtures {
  static let cloudConfig = """
    azs:
    - {name: z1, cloud_properties: {zone: a, shared: az}}
    - {name: z2, cloud_properties: {zone: b, shared: az}}
    vm_types:
    - {name: small, cloud_properties: {memory: 512, shared: type}}
    disk_types:
    - {name: big, disk_size: 10240, cloud_properties: {ssd: true}}
    vm_extensions:
    - {name: public, cloud_properties: {public: true, shared: extension}}
    networks:
    - name: default
      subnets:
      - {range: 10.0.1.0/24, gateway: 10.0.1.1, dns: [8.8.8.8], az: z1, reserved: [10.0.1.2 - 10.0.1.9], static: [10.0.1.100 - 10.0.1.110]}
      - {range: 10.0.2.0/28, gateway: 10.0.2.1, az: z2, static: [10.0.2.10]}
    - {name: cloudy, type: dynamic, dns: [8.8.4.4], cloud_properties: {net: x}}
    - {name: public, type: vip}
    compilation: {workers: 2, network: default, az: z1, vm_type: small}
    """

  static let manifest = """
    name: data
    releases: [{name: redis, version: latest}]
    stemcells: [{alias: default, os: debian, version: latest}]
    update: {canaries: 1, max_in_flight: 2, canary_watch_time: 1000-10000, update_watch_time: 2000-20000}
    instance_groups:
    - name: redis
      instances: 3
      azs: [z1, z2]
      jobs: [{name: redis, release: redis, properties: {port: 7000, secret: ((password))}}]
      vm_type: small
      vm_extensions: [public]
      stemcell: default
      persistent_disk_type: big
      networks: [{name: default}]
    - name: web
      instances: 1
      azs: [z1]
      jobs: [{name: client, release: redis}]
      vm_type: small
      stemcell: default
      networks: [{name: default}]
    - name: smoke
      lifecycle: errand
      instances: 1
      azs: [z1]
      jobs: [{name: smoke-tests, release: redis}]
      vm_type: small
      stemcell: default
      networks: [{name: default}]
    """

  static func job(_ name: String, _ spec: Value, _ kind: JobKind? = nil) -> JobRecord {
    JobRecord(
      name: name, fingerprint: "fp-\(name)", blobID: "blob-\(name)", digest: "sha256:\(name)", spec: JSON.text(spec),
      kind: kind)
  }

  static func package(_ name: String, _ dependencies: [String] = [], fingerprint: String? = nil) -> PackageRecord {
    PackageRecord(
      name: name, fingerprint: fingerprint ?? "fp-\(name)", blobID: "blob-\(name)", digest: "sha256:\(name)",
      dependencies: dependencies)
  }

  static func release(version: String = "1.2.0") -> ReleaseRecord {
    ReleaseRecord(
      name: "redis", version: version, commitHash: "c", uncommittedChanges: false,
      jobs: [
        job(
          "redis",
          [
            "name": "redis", "templates": ["ctl.erb": "bin/ctl"], "packages": ["redis", "tools"],
            "properties": ["port": ["default": 6379], "secret": [:], "limits.clients": ["default": 10]],
            "provides": [["name": "store", "type": "kv", "properties": ["port", "limits.clients"]]],
          ]),
        job(
          "client",
          [
            "name": "client", "templates": [:], "packages": ["tools"], "properties": [:],
            "consumes": [["name": "store", "type": "kv"], ["name": "cache", "type": "memcache", "optional": true]],
          ]),
        job(
          "smoke-tests",
          [
            "name": "smoke-tests", "templates": ["run.erb": "bin/run"], "packages": [],
            "consumes": [["name": "store", "type": "kv"]],
          ]),
      ],
      packages: [
        package("redis", ["gcc", "lib"]), package("tools"), package("gcc", ["lib"]), package("lib"), package("unused"),
      ])
  }

  static let stemcell = StemcellRecord(
    name: "runc-debian", version: "1.5", operatingSystem: "debian", cid: "sc-1", apiVersion: 3)

  /// Ids that are told apart by their number.
  static func identifiers() -> @Sendable () -> String {
    let counter = Counter()
    return { "id-\(String(counter.next() + 100).dropFirst())" }
  }

  static func inputs(
    _ manifest: String = manifest, cloudConfig: String = cloudConfig, runtimeConfig: String = "",
    releases: [ReleaseRecord] = [release()], stemcells: [StemcellRecord] = [stemcell],
    instances: [InstanceRecord] = [], addresses: [AddressRecord] = [], options: DeployOptions = DeployOptions()
  ) throws -> DeploymentInputs {
    DeploymentInputs(
      directorName: "drover", manifest: try DeploymentManifest(YAML.parse(manifest)),
      cloudConfig: try CloudConfig([YAML.parse(cloudConfig)]),
      runtimeConfig: try RuntimeConfig([YAML.parse(runtimeConfig)]), releases: releases, stemcells: stemcells,
      instances: instances, addresses: addresses, options: options, newIdentifier: identifiers())
  }

  /// Every instance rendered to the same files.
  static func rendered(_ resolved: ResolvedDeployment, _ hash: String = "h1") -> [String: RenderedInstance] {
    Dictionary(
      uniqueKeysWithValues: resolved.instances.map {
        ($0.id, RenderedInstance(configurationHash: hash, templateHashes: [:]))
      })
  }

  /// The records as they are when a deploy has gone through.
  static func deployed(_ resolved: ResolvedDeployment, _ hash: String = "h1") -> [InstanceRecord] {
    resolved.groups.flatMap { group in
      group.instances.map { instance in
        var record = instance.record
        guard group.lifecycle == .service else { return record }
        record.vm = VMRecord(
          agentID: "agent-\(instance.id)", cid: "vm-\(instance.id)", stemcell: "s", recipe: instance.recipe.description,
          createdAt: 1)
        record.disks =
          group.disk.map {
            [DiskRecord(cid: "disk-\(instance.id)", size: $0.size, cloudProperties: $0.cloudPropertiesText)]
          } ?? []
        record.fingerprint = resolved.fingerprint(
          of: instance, rendered: RenderedInstance(configurationHash: hash, templateHashes: [:]))
        record.updateCompleted = true
        return record
      }
    }
  }

  static func changed(_ old: String, _ new: String) -> String {
    guard let range = manifest.firstRange(of: old) else { return "\(old) is not in the fixture" }
    return manifest[..<range.lowerBound] + new + manifest[range.upperBound...]
  }

  private final class Counter: @unchecked Sendable {
    private var number = 0
    func next() -> Int {
      defer { number += 1 }
      return number
    }
  }
}
