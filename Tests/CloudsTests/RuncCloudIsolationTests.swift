import Clouds
import Files
import Formats
import Foundation
import Processes
import Testing

@Suite("RuncCloud isolation", .enabled(if: RealCloud.isPossible))
struct RuncCloudIsolationTests {
  @Test("limits of memory, processor and processes apply")
  func limits() async throws {
    try await CloudFixture.with { fixture in
      let vm = try await fixture.cloud.createVM(
        fixture.request(properties: ["memory": 64, "cpu": 0.5, "cpu_shares": 512, "processes": 200])
      ).id
      let group = "/sys/fs/cgroup"
      let v2 = Files.isVisible("/sys/fs/cgroup/cgroup.controllers")
      if v2 {
        #expect(try await fixture.shell(vm, "cat \(group)/memory.max \(group)/pids.max") == "67108864\n200")
        #expect(try await fixture.shell(vm, "cat \(group)/cpu.max") == "50000 100000")
      } else {
        #expect(try await fixture.shell(vm, "cat \(group)/memory/memory.limit_in_bytes") == "67108864")
        #expect(try await fixture.shell(vm, "cat \(group)/pids/pids.max") == "200")
        #expect(
          try await fixture.shell(vm, "cat \(group)/cpu/cpu.cfs_quota_us \(group)/cpu/cpu.shares") == "50000\n512")
      }
      // 200 MB in a pipe's reader: the kernel ends it.
      let eater = try await fixture.cloud.exec(vm, ["sh", "-c", "x=$(dd if=/dev/zero bs=1M count=200 | tr '\\0' a)"])
      let greedy = try await fixture.cloud.exec(vm, ["bash", "-c", "printf -v x %209715200s; echo ${#x}"])
      #expect(greedy.status != 0)
      #expect(eater.status != -1)
      #expect(try await fixture.status(vm).state == .running)
    }
  }

  @Test("nested containers of two VMs with the same name and cgroup do not meet")
  func nested() async throws {
    try await CloudFixture.with { fixture in
      let cloud = fixture.cloud
      let vms = [
        try await cloud.createVM(fixture.request(address: 10, properties: ["memory": 256])).id,
        try await cloud.createVM(fixture.request(address: 11, properties: ["memory": 256])).id,
      ]
      let spec = """
        {"ociVersion":"1.0.2","process":{"user":{"uid":0,"gid":0},"args":["/bin/sleep","1000"],"cwd":"/",\
        "env":["PATH=/bin"]},"root":{"path":"/var/vcap/data/nested/rootfs"},"mounts":[\
        {"destination":"/proc","type":"proc","source":"proc"},\
        {"destination":"/dev","type":"tmpfs","source":"tmpfs"},\
        {"destination":"/usr","type":"bind","source":"/usr","options":["bind","ro"]},\
        {"destination":"/lib","type":"bind","source":"/lib","options":["bind","ro"]},\
        {"destination":"/lib64","type":"bind","source":"/lib64","options":["bind","ro"]},\
        {"destination":"/bin","type":"bind","source":"/bin","options":["bind","ro"]}],\
        "linux":{"cgroupsPath":"/bpm-same","resources":{"memory":{"limit":33554432}},\
        "namespaces":[{"type":"pid"},{"type":"mount"},{"type":"ipc"},{"type":"uts"}]}}
        """
      let start = """
        mkdir -p /var/vcap/data/nested/rootfs && cd /var/vcap/data/nested && cat >config.json <<'END'
        \(spec)
        END
        runc run --detach --bundle . same </dev/null >out 2>&1 || { cat out; exit 1; }
        """
      for vm in vms { _ = try await fixture.shell(vm, start) }
      let hierarchy = Files.isVisible("/sys/fs/cgroup/cgroup.controllers") ? "" : "/memory"
      let procs = "/sys/fs/cgroup\(hierarchy)/bpm-same/cgroup.procs"
      for vm in vms {
        #expect(try await fixture.shell(vm, "cat \(procs) | grep -c .") == "1")
        let onHost = "/sys/fs/cgroup\(hierarchy)/drover-\(cloud.configuration.name)/\(vm)/bpm-same"
        #expect(try Files.exists(onHost))
      }
      #expect(try !Files.exists("/sys/fs/cgroup\(hierarchy)/bpm-same"))
      // Ending the one leaves the other.
      _ = try await fixture.shell(vms[0], "runc delete --force same")
      #expect(try await fixture.shell(vms[1], "cat \(procs) | grep -c .") == "1")
      // And a VM with a container in it is deleted with all of it.
      try await cloud.deleteVM(vms[1])
      #expect(try await HostTraces.of(cloud).filter { $0.contains(vms[1]) } == [])
    }
  }

  @Test("the VM's own sysctls are writable, the host's are not and stay as they are")
  func sysctls() async throws {
    try await CloudFixture.with { fixture in
      let vm = try await fixture.cloud.createVM(fixture.request()).id
      let shared = ["vm/swappiness", "kernel/panic", "fs/file-max", "kernel/pid_max", "vm/overcommit_memory"]
      let before = shared.map { Files.textIfPresent("/proc/sys/\($0)") }
      for name in shared {
        let result = try await fixture.cloud.exec(vm, ["sh", "-c", "echo 7 >/proc/sys/\(name)"])
        #expect(result.status != 0)
        #expect(String(decoding: result.errors, as: UTF8.self).contains("Read-only file system"))
      }
      #expect(shared.map { Files.textIfPresent("/proc/sys/\($0)") } == before)

      for name in ["net/ipv4/ip_local_port_range", "kernel/shmmni", "net/core/somaxconn"] {
        let host = Files.textIfPresent("/proc/sys/\(name)")
        let value = name.hasSuffix("range") ? "20000 30000" : "777"
        let seen = try await fixture.shell(vm, "echo '\(value)' >/proc/sys/\(name); cat /proc/sys/\(name)")
        #expect(seen.replacing("\t", with: " ") == value)
        #expect(Files.textIfPresent("/proc/sys/\(name)") == host)
      }
      #expect(try await fixture.cloud.exec(vm, ["sh", "-c", "echo h >/proc/sysrq-trigger"]).status != 0)
    }
  }

  @Test("a VM has no disk of the host and can't make one")
  func devices() async throws {
    try await CloudFixture.with { fixture in
      let vm = try await fixture.cloud.createVM(fixture.request()).id
      let root = try await Command("stat", "-c", "%d", "/").run().text.trimmingCharacters(in: .newlines)
      let number = try #require(Int(root))
      let result = try await fixture.cloud.exec(
        vm, ["bash", "-c", "type mknod || exit 9; mknod /tmp/d b \(number >> 8) \(number & 255); head -c 1 </tmp/d"])
      #expect(result.status != 0)
      #expect(try await fixture.shell(vm, "head -c 3 /dev/zero | grep -c . || true") != "")
    }
  }
}
