import Files
import Formats
import TestSupport
import Testing

@testable import BPM

@Suite("HostFeatures")
struct HostTests {
  private func features(_ cgroups: String, systemd: Bool = false) -> HostFeatures {
    var host = HostFeatures()
    host.ownCgroups = cgroups
    host.hasSystemd = systemd
    return host
  }

  @Test(
    "A container's cgroup is below bpm's own",
    arguments: [
      ("0::/\n", "/bpm-uaa"), ("0::/vm/1\n", "/vm/1/bpm-uaa"), ("0::/some/path\r\n", "/some/path/bpm-uaa"), ("", nil),
      ("4:memory:/\n0::/\n", "/bpm-uaa"),
      // Two machines on one host of v1, which the original would give the same cgroup.
      ("4:memory:/vm-a\n1:name=systemd:/\n0::/\n", "/vm-a/bpm-uaa"), ("4:memory:/vm-b\n0::/\n", "/vm-b/bpm-uaa"),
      ("4:cpu,cpuacct:/vm-c\n", "/vm-c/bpm-uaa"),
    ])
  func paths(cgroups: String, path: String?) throws {
    #expect(features(cgroups).cgroupsPath(of: try JobProcess(job: "uaa", process: "uaa")) == path)
  }

  @Test(
    "With systemd it is a scope in bpm's own slice",
    arguments: [
      ("/system.slice/garden-abc.scope/monit.service", "system.slice:garden-abc-scope-bpm:bpm-uaa"),
      ("/system.slice", "system.slice:system-slice-bpm:bpm-uaa"),
      ("/garden-abc.scope", "system.slice:garden-abc-scope-bpm:bpm-uaa"),
      ("/user.slice/user-0.slice/s.scope", "user.slice:user-0-slice-bpm:bpm-uaa"),
      ("/", "system.slice:bpm:bpm-uaa"),
    ])
  func systemd(own: String, path: String) throws {
    let host = features("0::\(own)\n", systemd: true)
    #expect(host.cgroupsPath(of: try JobProcess(job: "uaa", process: "uaa")) == path)
  }

  @Test("A scope's folder is in its slices")
  func folders() {
    #expect(SystemdCgroup.folder("system.slice:x-bpm:bpm-a") == "/system.slice/x-bpm-bpm-a.scope")
    #expect(SystemdCgroup.folder("a-b.slice:bpm:bpm-a") == "/a.slice/a-b.slice/bpm-bpm-a.scope")
    #expect(SystemdCgroup.folder("/x/bpm-a") == "/x/bpm-a")
  }

  @Test("BOSH roots that are moved do not meet")
  func roots() throws {
    let names = try ["/a", "/b", "/var/vcap"].map { try JobProcess(root: $0, job: "x", process: "x") }
    #expect(Set(names.map(HostFeatures.cgroupName)).count == 3)
    #expect(HostFeatures.cgroupName(of: names[2]) == "bpm-x")
  }

  private static let v1 = """
    30 20 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw
    31 30 0:27 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory

    """
  private static let hybrid = v1 + "32 30 0:28 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
  private static let v2 = "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n"

  @Test(
    "Swap is limited where the host can",
    arguments: [
      (v1, ["/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"], true), (v1, [], false),
      (hybrid, ["/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes"], true), (hybrid, [], false),
      // The root of v2 has no such file, and the original takes that for an answer.
      (v2, ["/sys/fs/cgroup/system.slice/memory.swap.max"], true),
      (v2, ["/sys/fs/cgroup/own/memory.swap.max"], true), (v2, ["/sys/fs/cgroup/x/memory.max"], false), ("", [], false),
    ])
  func swap(mounts: String, files: [String], isLimited: Bool) async throws {
    try await withTemporaryFolder { folder in
      try Files.makeFolder("\(folder)/proc/self")
      try Files.replace("\(folder)/proc/self/mountinfo", with: Array(mounts.utf8), mode: 0o644)
      try writeTestFile("\(folder)/proc/self/cgroup", "0::/own\n", mode: 0o644)
      for file in files {
        try Files.makeFolder("\(folder)\(file[..<(file.lastIndex(of: "/") ?? file.startIndex)])")
        try writeTestFile(folder + file, "", mode: 0o644)
      }
      #expect(HostProbe(prefix: folder).features().limitsSwap == isLimited)
    }
  }

  @Test("systemd, Rosetta and the resolvers' folders are seen")
  func probe() async throws {
    try await withTemporaryFolder { folder in
      #expect(!HostProbe(prefix: folder).hasSystemd && HostProbe(prefix: folder).features().supportsSeccomp)
      for path in ["run/systemd/system", "run/systemd/resolve", "proc/sys/fs/binfmt_misc"] {
        try Files.makeFolder("\(folder)/\(path)")
      }
      try writeTestFile("\(folder)/proc/sys/fs/binfmt_misc/rosetta", "", mode: 0o644)
      let features = HostProbe(prefix: folder).features()
      #expect(features.hasSystemd && !features.supportsSeccomp)
      #expect(features.resolverFolders == ["/run/systemd/resolve"])
    }
  }

  @Test("Only the controllers that containers need are mounted, together where they are together")
  func controllers() {
    let controllers =
      "#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpu\t1\t1\t1\ncpuacct\t1\t1\t1\nmemory\t2\t1\t1\n"
      + "hugetlb\t3\t1\t1\npids\t4\t1\t0\ndevices\t5\t1\t1\n"
    let own = "3:cpu,cpuacct:/\n2:memory:/\n"
    #expect(CgroupMounts.groups(controllers: controllers, own: own) == ["cpu,cpuacct", "memory", "devices"])
    #expect(CgroupMounts.groups(controllers: controllers, own: "") == ["cpu", "cpuacct", "memory", "devices"])
  }

  @Test("Patterns match as Go's do; what is not there is nothing")
  func globs() async throws {
    try await withTemporaryFolder { folder in
      for name in ["a1/x", "a2/x", "b", ".a3", "a{1}"] { try Files.makeFolder("\(folder)/\(name)") }
      #expect(try VolumeGlob.paths("\(folder)/a[12]") == ["\(folder)/a1", "\(folder)/a2"])
      #expect(try VolumeGlob.paths("\(folder)/a*/x") == ["\(folder)/a1/x", "\(folder)/a2/x"])
      #expect(try VolumeGlob.paths("\(folder)/*3") == ["\(folder)/.a3"])
      #expect(try VolumeGlob.paths("\(folder)/a{1}") == ["\(folder)/a{1}"])
      #expect(try VolumeGlob.paths("\(folder)/?") == ["\(folder)/b"])
      #expect(try VolumeGlob.paths("\(folder)/nothing").isEmpty)
      #expect(throws: DroverError.self) { try VolumeGlob.paths("\(folder)/[a") }
    }
  }
}
