import Formats

/// Documents that are good as they are, for tests to change.
enum Fixtures {
  static let manifest = """
    name: redis
    releases:
    - {name: redis, version: latest}
    stemcells:
    - {alias: default, os: debian-bookworm, version: 1.latest}
    update:
      canaries: 1
      max_in_flight: 50%
      canary_watch_time: 1000-30000
      update_watch_time: 30000
    instance_groups:
    - name: redis
      instances: 2
      azs: [z1, z2]
      jobs:
      - name: redis
        release: redis
        properties: {port: 6379, password: ((redis_password))}
        provides: {redis: {as: main, shared: true}}
      vm_type: small
      stemcell: default
      persistent_disk: 1024
      networks:
      - name: default
        static_ips: [10.0.0.10 - 10.0.0.11]
    - name: smoke-tests
      lifecycle: errand
      instances: 1
      azs: [z1]
      jobs:
      - name: smoke-tests
        release: redis
        consumes: {redis: {from: main}}
      vm_type: small
      stemcell: default
      networks: [{name: default}]
      update: {canaries: 0}
    features: {use_dns_addresses: false}
    tags: {team: data}
    variables:
    - {name: redis_password, type: password}
    """

  static let cloudConfig = """
    azs:
    - {name: z1, cloud_properties: {zone: a}}
    - {name: z2, cloud_properties: {zone: b}}
    vm_types:
    - {name: small, cloud_properties: {memory: 512}}
    disk_types:
    - {name: big, disk_size: 10240}
    vm_extensions:
    - {name: public, cloud_properties: {public: true}}
    networks:
    - name: default
      subnets:
      - range: 10.0.0.0/24
        gateway: 10.0.0.1
        dns: [8.8.8.8]
        azs: [z1, z2]
        reserved: [10.0.0.2 - 10.0.0.9]
        static: [10.0.0.10 - 10.0.0.19]
        cloud_properties: {bridge: b0}
    - {name: cloudy, type: dynamic, dns: [8.8.4.4], cloud_properties: {net: x}}
    - {name: public, type: vip}
    compilation: {workers: 2, network: default, az: z1, vm_type: small, reuse_compilation_vms: true}
    """

  static let runtimeConfig = """
    releases:
    - {name: os-conf, version: 22.1.0}
    addons:
    - name: users
      jobs:
      - {name: user_add, release: os-conf, properties: {persistent_homes: true}}
      include: {stemcell: [{os: debian-bookworm}], deployments: [redis]}
      exclude: {lifecycle: errand}
    tags: {owner: platform}
    """

  /// The text with the first occurrence of one part replaced.
  static func changed(_ text: String, _ old: String, _ new: String) -> String {
    guard let range = text.firstRange(of: old) else { return text }
    return text.replacingCharacters(range, with: new)
  }
}

extension String {
  fileprivate func replacingCharacters(_ range: Range<String.Index>, with new: String) -> String {
    self[..<range.lowerBound] + new + self[range.upperBound...]
  }
}
