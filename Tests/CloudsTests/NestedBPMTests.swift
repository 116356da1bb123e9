import Clouds
import Files
import Formats
import Foundation
import Processes
import Testing

/// The same job of the same BOSH root in two VMs on one host, with the bpm executable in each.
@Suite("bpm in VMs", .enabled(if: RealCloud.isPossible), .timeLimit(.minutes(10)))
struct NestedBPMTests {
  private static func configure(memory: String) -> String {
    """
    mkdir -p /var/vcap/packages /var/vcap/data/packages /var/vcap/jobs/web/config
    cat >/var/vcap/jobs/web/config/bpm.yml <<'END'
    processes:
    - name: web
      executable: /bin/sleep
      args: [900]
      limits: {memory: \(memory), processes: 40}
    - name: greedy
      executable: /bin/bash
      args: [-c, "echo begun; printf -v x %209715200s; echo ${#x}"]
      limits: {memory: \(memory)}
    END
    """
  }

  private static let isUnified = Files.isVisible("/sys/fs/cgroup/cgroup.controllers")

  /// The file of the memory limit of a container's cgroup, below a hierarchy's folder for the VM.
  private static func memoryLimit(_ group: String) -> String {
    isUnified ? "/sys/fs/cgroup/\(group)/memory.max" : "/sys/fs/cgroup/memory/\(group)/memory.limit_in_bytes"
  }

  @Test("They do not meet: each lists, limits and stops its own")
  func apart() async throws {
    try await CloudFixture.with(image: CloudFixture.imageWithBPM) { fixture in
      let cloud = fixture.cloud
      let vms = [
        try await cloud.createVM(fixture.request(address: 10, properties: ["memory": 512])).id,
        try await cloud.createVM(fixture.request(address: 11, properties: ["memory": 512])).id,
      ]
      let memory = ["48M", "96M"]
      for (vm, memory) in zip(vms, memory) { _ = try await fixture.shell(vm, Self.configure(memory: memory)) }

      // Both at once, then both look.
      async let first = fixture.shell(vms[0], "bpm start web")
      async let second = fixture.shell(vms[1], "bpm start web")
      #expect(try await [first, second] == ["", ""])
      for (vm, limit) in zip(vms, ["50331648", "100663296"]) {
        let pid = try await fixture.shell(vm, "bpm pid web")
        let rows = try await fixture.shell(vm, "bpm list").split(separator: "\n").map {
          $0.split(separator: " ").map(String.init)
        }
        #expect(
          rows == [["Name", "Pid", "Status"], ["web", pid, "running"], ["web.greedy", "-", "stopped"]], "\(rows)")
        // It is a process of this VM, and alone in a cgroup of this VM.
        #expect(try await fixture.shell(vm, "cat /proc/\(pid)/comm") == "tini")
        let procs = Self.isUnified ? "/sys/fs/cgroup/bpm-web" : "/sys/fs/cgroup/pids/bpm-web"
        #expect(try await fixture.shell(vm, "cat \(procs)/cgroup.procs | grep -c .") == "2")
        #expect(try await fixture.shell(vm, "cat \(procs)/pids.max") == "40")
        #expect(try await fixture.shell(vm, "cat \(Self.memoryLimit("bpm-web"))") == limit)
        let onHost = Self.memoryLimit("drover-\(cloud.configuration.name)/\(vm)/bpm-web")
        #expect(Files.textIfPresent(onHost) == "\(limit)\n")
      }

      // What one eats beyond its limit is its own end, and nobody else's.
      let greedy = try await cloud.exec(vms[0], ["bpm", "run", "web", "-p", "greedy"])
      #expect(greedy.status != 0 && String(decoding: greedy.output, as: UTF8.self) == "begun\n")
      #expect(try await fixture.shell(vms[0], "bpm list | grep -c running") == "1")
      #expect(try await fixture.shell(vms[1], "bpm list | grep -c running") == "1")

      // Also when its own record is lost, a stop finds no more than what is its own.
      _ = try await fixture.shell(vms[0], "rm -r /var/vcap/sys/run/bpm-runc/bpm-web && bpm stop web")
      #expect(try await fixture.shell(vms[0], "bpm pid web || echo none") == "none")
      let procs = Self.isUnified ? "/sys/fs/cgroup/bpm-web" : "/sys/fs/cgroup/pids/bpm-web"
      #expect(try await fixture.shell(vms[0], "cat \(procs)/cgroup.procs 2>/dev/null | grep -c . || true") == "0")
      let left = try await fixture.shell(vms[1], "bpm pid web")
      #expect(try await fixture.shell(vms[1], "cat /proc/\(left)/comm") == "tini")
      _ = try await fixture.shell(vms[1], "bpm stop web")
      #expect(try await fixture.shell(vms[1], "bpm list | grep -c running || true") == "0")
    }
  }
}
