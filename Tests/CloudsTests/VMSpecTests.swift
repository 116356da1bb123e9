import Containers
import Formats
import Testing

@testable import Clouds

@Suite("VMSpec")
struct VMSpecTests {
  static func host(_ version: CgroupLayout.Version, swap: Bool) -> HostFeatures {
    HostFeatures(
      cgroups: CgroupLayout(version: version, mounts: ["": "/sys/fs/cgroup"]),
      capabilities: ["CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_SYS_MODULE"], limitsSwap: swap, openFiles: 20000)
  }

  static func spec(_ properties: ValueObject, _ host: HostFeatures) throws -> OCISpec {
    VMSpec.make(
      hostname: "h", cgroup: "/drover-s/vm", resources: try VMResources(cloudProperties: properties),
      paths: VMSpec.Paths(
        root: "/v/rootfs", data: "/v/data"), host: host)
  }

  @Test(
    "every namespace is the VM's own and its part of the cgroups writable, on every layout",
    arguments: [
      CgroupLayout.Version.v1, .hybrid, .v2,
    ])
  func namespaces(version: CgroupLayout.Version) throws {
    let spec = try Self.spec([:], Self.host(version, swap: false))
    #expect(Set(spec.linux.namespaces.map(\.kind)) == [.pid, .network, .mount, .ipc, .uts, .cgroup])
    #expect(spec.linux.namespaces.allSatisfy { $0.path == nil })
    let cgroup = try #require(spec.mounts.first { $0.destination == "/sys/fs/cgroup" })
    #expect(cgroup.type == "cgroup" && cgroup.options.contains("rw"))
    #expect(spec.linux.cgroupsPath == "/drover-s/vm")
  }

  @Test("only capabilities that the host has and that leave it alone are given")
  func capabilities() throws {
    let spec = try Self.spec([:], Self.host(.v1, swap: false))
    #expect(spec.process.capabilities?.bounding == ["CAP_CHOWN", "CAP_SYS_ADMIN"])
    #expect(
      spec.process.resourceLimits == [
        OCISpec.ResourceLimit(type: "RLIMIT_NOFILE", soft: 20000, hard: 20000)
      ])
  }

  @Test("disks are shown where their hints say, the ephemeral one under /var/vcap/data")
  func mounts() throws {
    let spec = try Self.spec([:], Self.host(.v1, swap: false))
    #expect(
      spec.mounts.filter { $0.type == "bind" }.map { "\($0.source) \($0.destination)" } == [
        "/v/data /var/vcap/data"
      ])
    #expect(VMDisk.hint("d") == ["path": "/var/vcap/disks/d"])
  }

  static let limitCases: [(ValueObject, Bool, OCISpec.Resources)] = [
    ([:], true, OCISpec.Resources(pidsLimit: 16384, devices: [OCISpec.DeviceRule(allow: false)])),
    (
      ["memory": 512, "cpu": 1.5, "cpu_shares": 100, "processes": 99, "unknown": "ignored"], true,
      OCISpec.Resources(
        memoryLimit: 512 << 20, memorySwap: 512 << 20, cpuShares: 100, cpuQuota: 150_000, cpuPeriod: 100_000,
        pidsLimit: 99, devices: [OCISpec.DeviceRule(allow: false)])
    ),
    (
      ["memory": 64, "cpu": 2], false,
      OCISpec.Resources(
        memoryLimit: 64 << 20, cpuQuota: 200_000, cpuPeriod: 100_000, pidsLimit: 16384,
        devices: [OCISpec.DeviceRule(allow: false)])
    ),
  ]

  @Test("cloud properties become limits", arguments: limitCases)
  func limits(properties: ValueObject, swap: Bool, expected: OCISpec.Resources) throws {
    #expect(try Self.spec(properties, Self.host(.v1, swap: swap)).linux.resources == expected)
  }

  static let wrong: [(ValueObject, String)] = [
    (["memory": "512"], "cloud_properties.memory: expected an integer, found a string"),
    (["memory": 3], "cloud_properties.memory: expected at least 32 (MB), found 3"),
    (["cpu": "2"], "cloud_properties.cpu: expected a number, found a string"),
    (["cpu": 0], "cloud_properties.cpu: expected at least 0.01 (cores), found 0.0"),
  ]

  @Test("cloud properties that can't be are refused by name", arguments: wrong)
  func errors(properties: ValueObject, message: String) {
    let error = #expect(throws: CloudError.self) { _ = try VMResources(cloudProperties: properties) }
    #expect(error?.message == message)
  }
}
