import Containers
import Testing

@Suite("CgroupLayout")
struct CgroupLayoutTests {
  static let v1 = """
    25 24 0:21 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755
    26 25 0:22 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:3 - cgroup cgroup rw,cpu,cpuacct
    27 25 0:23 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory
    28 25 0:24 / /sys/fs/cgroup/systemd rw,relatime - cgroup systemd rw,xattr,name=systemd
    """
  static let hybrid = v1 + "\n29 25 0:25 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
  static let v2 = "30 24 0:26 / /sys/fs/cgroup rw,relatime shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"

  static let cases: [(String, CgroupLayout.Version, [String], String?, String?)] = [
    (
      v1, .v1,
      ["/sys/fs/cgroup/cpu,cpuacct/a/b", "/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/systemd/a/b"],
      "/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "/sys/fs/cgroup/memory/a/b/memory.memsw.limit_in_bytes"
    ),
    (
      hybrid, .hybrid,
      [
        "/sys/fs/cgroup/cpu,cpuacct/a/b", "/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/systemd/a/b",
        "/sys/fs/cgroup/unified/a/b",
      ],
      "/sys/fs/cgroup/memory/a/b/memory.usage_in_bytes", "/sys/fs/cgroup/memory/a/b/memory.memsw.limit_in_bytes"
    ),
    (
      v2, .v2, ["/sys/fs/cgroup/a/b"], "/sys/fs/cgroup/a/b/memory.current", "/sys/fs/cgroup/a/b/memory.swap.max"
    ),
  ]

  @Test("v1, hybrid and v2 hosts are told apart, with their folders and files", arguments: cases)
  func layout(
    mounts: String, version: CgroupLayout.Version, folders: [String], usage: String?, swap: String?
  ) throws {
    let layout = try #require(CgroupLayout(mountInfo: mounts))
    #expect(layout.version == version)
    #expect(layout.folders(of: "/a/b") == folders)
    #expect(layout.memoryUsageFile(of: "/a/b") == usage)
    #expect(layout.swapLimitFile(of: "/a/b") == swap)
  }

  @Test("a host without cgroups has no layout, nor does nonsense", arguments: ["", "1 2\n", "x - y\n", " - - - \n"])
  func none(mounts: String) { #expect(CgroupLayout(mountInfo: mounts) == nil) }
}

@Suite("Capabilities")
struct CapabilitiesTests {
  @Test("a bounding set without CAP_SYS_RESOURCE is read from the process status")
  func boundingSet() throws {
    let names = try #require(Capabilities.boundingSet(inStatus: "Name:\tx\nCapBnd:\t000001fffeffffff\nCapAmb:\t0\n"))
    #expect(names.count == 40)
    #expect(!names.contains("CAP_SYS_RESOURCE"))
    #expect(names.first == "CAP_CHOWN")
    #expect(names.last == "CAP_CHECKPOINT_RESTORE")
  }

  @Test("without the line there is no answer", arguments: ["", "CapBnd:\tzz\n"])
  func missing(status: String) { #expect(Capabilities.boundingSet(inStatus: status) == nil) }
}
