import Containers
import Formats
import Testing

@testable import BPM

@Suite("ContainerSpec")
struct ContainerSpecTests {
  private func spec(
    _ change: (inout ProcessConfiguration) -> Void = { _ in }, host: HostFeatures = HostFeatures(),
    unrestricted: [ProcessConfiguration.Volume] = [], devices: [OCISpec.Device] = []
  ) throws -> OCISpec {
    var process = ProcessConfiguration(name: "nginx", executable: "/bin/nginx")
    change(&process)
    return ContainerSpec(
      names: try JobProcess(job: "web", process: "nginx"), process: process, user: .init(uid: 1000, gid: 1001),
      host: host, unrestrictedVolumes: unrestricted, devices: devices
    ).build().spec
  }

  private func mounts(_ spec: OCISpec) -> [String] {
    spec.mounts.dropFirst(6).map { "\($0.source) \($0.destination) \($0.options.joined(separator: ","))" }
  }

  @Test("A plain process gets the original's container")
  func plain() throws {
    let spec = try spec { $0.arguments = ["-g", "x"] }
    #expect(spec.process.arguments == ["/var/vcap/packages/bpm/bin/tini", "-w", "-s", "--", "/bin/nginx", "-g", "x"])
    #expect(spec.process.directory == "/var/vcap/jobs/web")
    #expect(spec.process.user == .init(uid: 1000, gid: 1001, name: "vcap"))
    #expect(
      spec.process.environment == [
        "TMPDIR=/var/vcap/data/web/tmp", "LANG=en_US.UTF-8",
        "PATH=/var/vcap/jobs/web/bin:/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin:.",
        "HOME=/var/vcap/data/web",
      ])
    #expect(spec.process.noNewPrivileges && spec.process.resourceLimits.isEmpty)
    #expect(spec.process.capabilities == OCISpec.Capabilities())
    #expect(spec.root == .init(path: "/var/vcap/data/bpm/bundles/web/nginx/rootfs"))
    #expect(spec.linux.namespaces.map(\.kind) == [.ipc, .mount, .uts, .pid])
    #expect(spec.linux.resources == .init() && spec.linux.rootfsPropagation == "private")
    #expect(spec.linux.maskedPaths.count == 7 && spec.linux.readonlyPaths.count == 6)
    #expect(spec.value["linux"]?["resources"] == [:] && spec.value["process"]?["capabilities"] == [:])
    #expect(
      spec.mounts.prefix(6).map(\.destination) == [
        "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys",
      ])
    #expect(
      mounts(spec) == [
        "/bin /bin bind,exec,nosuid,nodev,ro", "/etc /etc bind,exec,nosuid,nodev,ro",
        "/lib /lib bind,exec,nosuid,nodev,ro", "/lib64 /lib64 bind,exec,nosuid,nodev,ro",
        "/sbin /sbin bind,exec,nosuid,nodev,ro", "/usr /usr bind,exec,nosuid,nodev,ro",
        "/var/vcap/data/web/tmp /tmp rbind,noexec,nosuid,nodev,rw",
        "/var/vcap/data/web/tmp /var/tmp rbind,noexec,nosuid,nodev,rw",
        "/var/vcap/packages /var/vcap/packages bind,exec,nosuid,nodev,ro",
        "/var/vcap/data/packages /var/vcap/data/packages bind,exec,nosuid,nodev,ro",
        "/var/vcap/jobs/web /var/vcap/jobs/web bind,exec,nosuid,nodev,ro",
        "/var/vcap/data/web/tmp /var/vcap/data/web/tmp rbind,noexec,nosuid,nodev,rw",
        "/var/vcap/sys/log/web /var/vcap/sys/log/web rbind,noexec,nosuid,nodev,rw",
      ])
  }

  @Test("A configured variable takes the default's place; the others come first, sorted")
  func environment() throws {
    let spec = try spec { $0.environment = ["PATH": "/p", "B": "2", "A": ""] }
    #expect(spec.process.environment.prefix(3) == ["A=", "B=2", "PATH=/p"])
    #expect(spec.process.environment.dropFirst(3).map { $0.prefix(4) } == ["TMPD", "LANG", "HOME"])
  }

  @Test("Limits become cgroup limits and rlimits")
  func limits() throws {
    var host = HostFeatures()
    let change: (inout ProcessConfiguration) -> Void = {
      $0.limits.memory = "1G"
      $0.limits.openFiles = 5
      $0.limits.processes = 7
      $0.limits.coreFileSize = 0
    }
    #expect(try spec(change, host: host).linux.resources == .init(memoryLimit: 1 << 30, pidsLimit: 7))
    host.limitsSwap = true
    let spec = try spec(change, host: host)
    #expect(spec.linux.resources == .init(memoryLimit: 1 << 30, memorySwap: 1 << 30, pidsLimit: 7))
    #expect(
      spec.process.resourceLimits == [
        .init(type: "RLIMIT_NOFILE", soft: 5, hard: 5), .init(type: "RLIMIT_CORE", soft: 0, hard: 0),
      ])
  }

  @Test("Capabilities are in every set but the effective one")
  func capabilities() throws {
    let found = try spec { $0.capabilities = ["KILL", "CHOWN"] }.process.capabilities
    let names = ["CAP_KILL", "CAP_CHOWN"]
    #expect(found == .init(bounding: names, inheritable: names, permitted: names, ambient: names))
  }

  @Test("Disks and volumes come after what they lie in; the first mount of a place counts")
  func volumes() throws {
    var inner = ProcessConfiguration.Volume("/var/vcap/store/web/plugins")
    inner.allowsExecutions = true
    var log = ProcessConfiguration.Volume("/var/vcap/sys/log/web")
    log.isWritable = true
    let found = try mounts(
      spec({
        $0.ephemeralDisk = true
        $0.persistentDisk = true
        $0.volumes = [inner, log, .init("/var/vcap/data/shared")]
      }))
    #expect(
      found.suffix(6) == [
        "/var/vcap/data/web /var/vcap/data/web rbind,noexec,nosuid,nodev,rw",
        "/var/vcap/store/web /var/vcap/store/web rbind,noexec,nosuid,nodev,rw",
        "/var/vcap/data/shared /var/vcap/data/shared rbind,noexec,nosuid,nodev,ro",
        "/var/vcap/data/web/tmp /var/vcap/data/web/tmp rbind,noexec,nosuid,nodev,rw",
        "/var/vcap/sys/log/web /var/vcap/sys/log/web rbind,noexec,nosuid,nodev,rw",
        "/var/vcap/store/web/plugins /var/vcap/store/web/plugins rbind,exec,nosuid,nodev,ro",
      ])
  }

  @Test("An unrestricted volume at or below one of the job's own mounts is left out; one with a similar name is not")
  func unrestricted() throws {
    let found = try mounts(
      spec(unrestricted: ["/var/vcap/jobs/web/x", "/var/vcap/jobs/web-b", "/tmp", "/opt"].map { .init($0) }))
    #expect(found.filter { $0.hasPrefix("/opt") || $0.hasPrefix("/var/vcap/jobs/web-b") }.count == 2)
    #expect(!found.contains { $0.hasPrefix("/var/vcap/jobs/web/x") || $0.hasPrefix("/tmp ") })
  }

  @Test("A privileged process is root with every capability of the host and sees everything")
  func privileged() throws {
    var host = HostFeatures()
    host.boundingCapabilities = ["CAP_SYS_ADMIN", "CAP_KILL", "CAP_BPF"]
    let one = try spec({ $0.unsafe.isPrivileged = true }, host: host)
    #expect(one.process.capabilities?.permitted == ["CAP_KILL", "CAP_SYS_ADMIN"])
    #expect(one.process.user == .init() && !one.process.noNewPrivileges && !one.linux.hasSeccomp)
    #expect(one.linux.maskedPaths.isEmpty && one.linux.readonlyPaths.isEmpty)
    #expect(!one.mounts.contains { $0.options.contains("nosuid") })
    #expect(try spec { $0.unsafe.isPrivileged = true }.process.capabilities?.bounding.count == 38)
  }

  @Test("The host's processes are seen on request")
  func hostProcesses() throws {
    let spec = try spec { $0.unsafe.usesHostProcesses = true }
    #expect(spec.linux.namespaces.map(\.kind) == [.ipc, .mount, .uts])
  }

  @Test("Seccomp is left out under Rosetta; the profile has the original's rules")
  func seccomp() throws {
    var host = HostFeatures()
    host.supportsSeccomp = false
    #expect(try !spec(host: host).linux.hasSeccomp)
    let rules = try #require(try spec().linux.seccomp?["syscalls"]?.array)
    #expect(SeccompProfile.allowed.count == 311 && Set(SeccompProfile.allowed).count == 311)
    #expect(
      rules.dropFirst().compactMap { $0["names"]?[0]?.string } == ["clone", "clone3"]
        + Array(repeating: "personality", count: 3))
    #expect(rules[2]["errnoRet"] == 38)
  }

  @Test("What is new: CPU limits, devices, programs in tmp, syslog")
  func new() throws {
    let device = OCISpec.Device(path: "/dev/fuse", type: "c", major: 10, minor: 229)
    let spec = try spec(
      {
        $0.limits.cpuShares = 512
        $0.limits.cpuQuota = 1.5
        $0.devices = [.init(path: "/dev/fuse", permissions: "rw")]
        $0.executableTemporaryFolders = true
        $0.syslog = true
      }, devices: [device])
    #expect(spec.linux.resources.cpuShares == 512 && spec.linux.resources.cpuQuota == 150_000)
    #expect(spec.linux.resources.cpuPeriod == 100_000 && spec.linux.devices == [device])
    #expect(spec.linux.resources.devices == [.init(allow: true, type: "c", major: 10, minor: 229, access: "rw")])
    let found = mounts(spec)
    #expect(found.contains("/dev/log /dev/log bind,noexec,nosuid,nodev,rw"))
    #expect(found.contains("/var/vcap/data/web/tmp /tmp rbind,exec,nosuid,nodev,rw"))
  }

  @Test("With another BOSH root sources move and destinations stay")
  func movedRoot() throws {
    let names = try JobProcess(root: "/r", job: "web", process: "web")
    let spec = ContainerSpec(
      names: names, process: .init(name: "web", executable: "x"), user: .init(uid: 1, gid: 1), host: HostFeatures()
    ).build().spec
    let log = try #require(spec.mounts.first { $0.destination == "/var/vcap/sys/log/web" })
    #expect(log.source == "/r/sys/log/web" && spec.root.path == "/r/data/bpm/bundles/web/web/rootfs")
  }
}
