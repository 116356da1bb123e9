import Formats
import Manifests
import Testing

@testable import Director

@Suite struct PlanningPlacementTests {
  private typealias Fixtures = PlanningFixtures

  private func group(_ changes: String) throws -> String {
    """
    name: d
    releases: [{name: redis, version: latest}]
    stemcells: [{alias: default, os: debian, version: latest}]
    update: {canaries: 0, max_in_flight: 1, canary_watch_time: 1000, update_watch_time: 1000}
    instance_groups:
    - {name: g, jobs: [{name: redis, release: redis}], vm_type: small, stemcell: default, \(changes)}
    """
  }

  private func place(
    _ changes: String, _ instances: [InstanceRecord] = [], addresses: [AddressRecord] = []
  ) throws -> ResolvedDeployment {
    try Fixtures.inputs(group(changes), instances: instances, addresses: addresses).resolve()
  }

  private func record(
    _ id: String, _ index: Int, _ az: String?, bootstrap: Bool = false, disk: Bool = false, ip: String? = nil
  ) -> InstanceRecord {
    InstanceRecord(
      deployment: "d", group: "g", id: id, index: index, az: az, bootstrap: bootstrap,
      addresses: ip.map { ["default": $0] } ?? [:],
      disks: disk ? [DiskRecord(cid: "disk", size: 1, cloudProperties: "{}")] : [])
  }

  private func addresses(_ records: [InstanceRecord]) -> [AddressRecord] {
    records.flatMap { record in
      record.addresses.map {
        AddressRecord(network: $0.key, address: $0.value, deployment: "d", holder: record.documentName)
      }
    }
  }

  @Test(
    "instances are spread over AZs; who has a disk stays; who is not needed goes",
    arguments: [
      ("", 3, ["new z1", "new z2", "new z1"], [] as [String]),
      ("a0z1 b1z1", 2, ["a z1", "new z2"], ["b"]),
      ("a0z1d b1z1d", 2, ["a z1", "b z1"], []),
      ("a0z1 b1z2 c2z1", 2, ["a z1", "b z2"], ["c"]),
      ("a0z3 b1z2", 2, ["new z1", "b z2"], ["a"]),
      ("a0z2", 1, ["a z2"], []),
      ("a0z1", 0, [], ["a"]),
      ("a4z1d b1z2", 3, ["b z2", "new z1", "a z1"], []),
    ])
  func zones(_ current: String, _ count: Int, _ expected: [String], _ obsolete: [String]) throws {
    let records = current.split(separator: " ").map { text in
      let parts = Array(text).map(String.init)
      return record(parts[0], Int(parts[1]) ?? 0, parts[2...3].joined(), disk: parts.count == 5)
    }
    let resolved = try place("instances: \(count), azs: [z1, z2], networks: [{name: default}]", records)
    let found = resolved.instances.map { "\($0.current?.id ?? "new") \($0.az ?? "-")" }
    #expect(found.sorted() == expected.sorted())
    #expect(resolved.obsolete.map(\.id) == obsolete)
  }

  @Test("indexes are kept, new ones take the lowest free, and one instance is bootstrap for as long as it is there")
  func identities() throws {
    let records = [record("a", 1, "z1"), record("b", 3, "z2", bootstrap: true)]
    let resolved = try place("instances: 4, azs: [z1, z2], networks: [{name: default}]", records)
    #expect(resolved.instances.map(\.index) == [0, 1, 2, 3])
    #expect(resolved.instances.map(\.bootstrap) == [false, false, false, true])
    let without = try place("instances: 1, azs: [z1], networks: [{name: default}]", records)
    #expect(without.instances.map(\.bootstrap) == [true])
    #expect(without.instances.map(\.id) == ["a"])
    let grown = try place("instances: 2, azs: [z1], networks: [{name: default}]", records)
    #expect(grown.instances.map(\.index) == [0, 1])
  }

  @Test("a static address chooses instance and AZ, and stays with who has it")
  func statics() throws {
    let networks = "azs: [z1, z2], networks: [{name: default, static_ips: [10.0.1.100, 10.0.2.10]}]"
    let fresh = try place("instances: 2, \(networks)")
    #expect(fresh.instances.map(\.az) == ["z1", "z2"])
    #expect(fresh.instances.map { $0.addresses["default"] } == ["10.0.1.100", "10.0.2.10"])
    let records = [record("a", 0, "z2", ip: "10.0.2.10"), record("b", 1, "z1", ip: "10.0.1.10")]
    let kept = try place("instances: 2, \(networks)", records, addresses: addresses(records))
    #expect(kept.instances.map(\.id) == ["a", "b"])
    #expect(kept.instances.map { $0.addresses["default"] } == ["10.0.2.10", "10.0.1.100"])
    #expect(kept.releasedAddresses.map(\.address) == ["10.0.1.10"])
    #expect(kept.reservations.map(\.address) == ["10.0.1.100"])
  }

  @Test(
    "an address that can't be had is named",
    arguments: [
      ("instances: 1, azs: [z1], networks: [{name: default, static_ips: [10.0.9.1]}]", "belongs to no subnet", 150009),
      (
        "instances: 1, azs: [z1], networks: [{name: default, static_ips: [10.0.2.10]}]", "which belongs to AZ 'z2'",
        150007
      ),
      (
        "instances: 1, azs: [z1], networks: [{name: default, static_ips: [10.0.1.20]}]", "belongs to dynamic pool",
        130009
      ),
      (
        "instances: 1, azs: [z1], networks: [{name: default, static_ips: [10.0.1.5]}]", "belongs to reserved range",
        130013
      ),
      (
        "instances: 1, azs: [z1], networks: [{name: default, static_ips: [10.0.1.101]}]", "already reserved by 'x/y/z'",
        130008
      ),
      (
        "instances: 1, azs: [z1], networks: [{name: cloudy, static_ips: [10.0.1.100]}]", "cannot define static IP",
        150008
      ),
      ("instances: 15, azs: [z2], networks: [{name: default}]", "no more available", 130011),
      ("instances: 1, azs: [z1], networks: [{name: public, default: [dns, gateway]}]", "can't be a default", 130007),
    ])
  func impossible(_ changes: String, _ expected: String, _ number: Int) {
    let taken = [AddressRecord(network: "default", address: "10.0.1.101", deployment: "x", holder: "x/y/z")]
    let error = #expect(throws: DroverError.self) { try place(changes, addresses: taken) }
    #expect(error?.message.contains(expected) == true, "\(String(describing: error))")
    #expect(error?.number == number)
  }

  @Test("over many changes no address is given twice, what fits is kept, and counts are right", arguments: 0..<60)
  func property(_ seed: Int) throws {
    var generator = SystemGenerator(seed: UInt64(seed))
    var records: [InstanceRecord] = []
    var taken: [AddressRecord] = [
      AddressRecord(network: "other", address: "10.0.1.12", deployment: "x", holder: "x/y/z")
    ]
    for round in 0..<12 {
      let count = Int.random(in: 0...9, using: &generator)
      let azs = [["z1"], ["z2"], ["z1", "z2"]].randomElement(using: &generator) ?? ["z1"]
      let ids = Counter(prefix: "\(seed)-\(round)")
      var inputs = try Fixtures.inputs(
        group("instances: \(count), azs: \(azs), networks: [{name: default}]".replacing("\"", with: "")),
        instances: records, addresses: taken)
      inputs.newIdentifier = NewIdentifier { ids.next() }
      let resolved = try inputs.resolve()
      #expect(resolved.instances.count == count)
      #expect(Set(resolved.instances.map(\.id)).count == count)
      #expect(Set(resolved.instances.map(\.index)).count == count)
      #expect(resolved.instances.count { $0.bootstrap } == min(count, 1))
      #expect(resolved.obsolete.count == records.count - resolved.instances.count { $0.current != nil })
      let all = (taken + resolved.reservations).map(\.address)
      #expect(Set(all).count == all.count)
      for instance in resolved.instances {
        let address = try #require(instance.addresses["default"])
        #expect(all.contains(address) && address != "10.0.1.12")
        #expect(address.hasPrefix(instance.az == "z1" ? "10.0.1." : "10.0.2."))
        if let current = instance.current, current.az == instance.az {
          #expect(current.addresses["default"] == address && current.index == instance.index)
        }
      }
      let spread = Dictionary(grouping: resolved.instances, by: \.az).mapValues(\.count).values
      if count >= azs.count { #expect((spread.max() ?? 0) - (spread.min() ?? 0) <= 1) }
      records = resolved.instances.map(\.record)
      let holders = Set(records.map(\.documentName))
      let released = Set(resolved.releasedAddresses)
      taken = (taken + resolved.reservations).filter {
        $0.deployment == "x" || holders.contains($0.holder) && !released.contains($0)
      }
    }
  }
}

/// Numbers that depend on a seed alone.
struct SystemGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed &+ 1 }

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state >> 29) ^ (state &* 0x9E37_79B9_7F4A_7C15)
  }
}

private final class Counter: @unchecked Sendable {
  private let prefix: String
  private var number = 0
  init(prefix: String) { self.prefix = prefix }

  func next() -> String {
    defer { number += 1 }
    return "\(prefix)-\(number)"
  }
}
