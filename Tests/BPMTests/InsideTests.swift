import Containers
import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import BPM

/// What a process finds in its container, looked at by a shell in it.
@Suite("Inside a container", .enabled(if: ContainerFixture.isPossible))
struct InsideTests {
  /// What a script prints line by line when it is the process.
  private func says(_ fixture: ContainerFixture, _ script: String, _ more: String = "") async throws -> [String] {
    try fixture.configure(
      "web", "- name: web\n  executable: /bin/sh\n  args: [-c, \(JSON.text(.string(script)))]\n\(more)")
    let said = await fixture.bpm("run", "web")
    let lines = fixture.text("sys/log/web/web.stdout.log").split(separator: "\n").map(String.init)
    #expect(said.status == 0, "\(said) \(fixture.text("sys/log/web/web.stderr.log"))")
    return lines
  }

  @Test("It is vcap in the job's folder, with the default environment, alone, and may gain nothing")
  func defaults() async throws {
    try await ContainerFixture.use { fixture in
      let lines = try await says(
        fixture,
        "id -u; pwd; echo $HOME $TMPDIR $LANG; ls -d /proc/[0-9]* | wc -l; grep -E '^(CapBnd|NoNewPrivs|Seccomp):' "
          + "/proc/self/status; env | wc -l; cat /proc/1/comm; touch /sys/x /etc/x 2>/dev/null || echo read-only")
      #expect(
        lines.prefix(3) == ["1000", "/var/vcap/jobs/web", "/var/vcap/data/web /var/vcap/data/web/tmp en_US.UTF-8"])
      // tini, the shell, ls, wc (which may not be there yet).
      #expect(["3", "4"].contains(lines[3].filter(\.isNumber)), "\(lines)")
      #expect(lines[4].hasSuffix("\t0000000000000000") || lines[4].hasSuffix("\t0"), "\(lines)")
      #expect(lines.contains("NoNewPrivs:\t1") && lines.contains("Seccomp:\t2"), "\(lines)")
      #expect(lines.suffix(2) == ["tini", "read-only"], "\(lines)")
    }
  }

  @Test("Temporary folders are one, writable, and execute nothing unless that is asked for", arguments: [false, true])
  func temporaryFolders(executable: Bool) async throws {
    try await ContainerFixture.use { fixture in
      let lines = try await says(
        fixture,
        "printf '#!/bin/sh\\necho ran\\n' > /tmp/x; chmod +x /tmp/x; ls /var/tmp $TMPDIR | grep -c '^x$'; "
          + "/tmp/x 2>/dev/null || echo refused",
        executable ? "  executable_tmp: true\n" : "")
      #expect(lines == ["2", executable ? "ran" : "refused"])
      #expect(try Files.exists("\(fixture.root)/data/web/tmp/x"))
    }
  }

  @Test("Disks, volumes and patterns are there with their flags, made and given to vcap")
  func volumes() async throws {
    try await ContainerFixture.use { fixture in
      let root = fixture.root
      try Files.makeFolder("\(root)/store")
      let lines = try await says(
        fixture,
        """
        touch /var/vcap/data/web/d /var/vcap/store/web/s \(root)/data/extra/w && echo written
        touch \(root)/data/fixed/w 2>/dev/null || echo fixed
        ls -d /opt /srv 2>/dev/null; true
        """,
        """
          ephemeral_disk: true
          persistent_disk: true
          additional_volumes:
          - {path: \(root)/data/extra, writable: true}
          - {path: \(root)/data/fixed}
          unsafe: {unrestricted_volumes: [{path: "/op?"}, {path: /no/such}]}

        """)
      #expect(lines == ["written", "fixed", "/opt"])
      for path in ["data/web", "store/web", "data/extra", "data/fixed"] {
        let facts = try #require(try FileFacts("\(root)/\(path)"))
        #expect(facts.user == 1000 && facts.permissions == 0o700, "\(path)")
      }
    }
  }

  @Test("A shared volume becomes a mount that spreads, once, and stays")
  func shared() async throws {
    try await ContainerFixture.use { fixture in
      let path = "\(fixture.root)/data/shared"
      try Files.makeFolder(path)
      defer { umount2(path, 2) }
      for _ in 0..<2 {
        _ = try await says(fixture, "true", "  additional_volumes: [{path: \(path), shared: true, mount_only: true}]\n")
      }
      let mounts = (Files.textIfPresent("/proc/self/mountinfo") ?? "").split(separator: "\n").filter {
        $0.split(separator: " ").dropFirst(4).first == Substring(path)
      }
      #expect(mounts.count == 1 && mounts[0].contains(" shared:"), "\(mounts)")
      #expect(try FileFacts(path)?.user == 0)
    }
  }

  static let canLimit = HostAbilities.has(
    .controller("memory"), .controller("pids"), .controller("cpu"), .openFiles(256), for: "limits of containers")

  @Test("Limits hold", .enabled(if: canLimit))
  func limits() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure(
        "web",
        ContainerFixture.sleeper
          + "  limits: {memory: 64M, processes: 50, open_files: 256, core_file_size: 0, cpu: {shares: 512, quota: 0.5}}\n"
      )
      #expect(await fixture.bpm("start", "web").status == 0)
      let found = fixture.setup.observer.observe("bpm-web")
      let groups = try #require(found.state?.cgroups)
      func limit(_ controller: String, _ v1: String, _ v2: String) -> String {
        let file = groups[controller].map { "\($0)/\(v1)" } ?? groups[""].map { "\($0)/\(v2)" } ?? ""
        return (Files.textIfPresent(file) ?? "").filter { !$0.isNewline }
      }
      #expect(limit("memory", "memory.limit_in_bytes", "memory.max") == "67108864")
      #expect(limit("pids", "pids.max", "pids.max") == "50")
      #expect(["50000", "50000 100000"].contains(limit("cpu", "cpu.cfs_quota_us", "cpu.max")))
      let process = try #require(found.process)
      let rows = (Files.textIfPresent("/proc/\(process.pid)/limits") ?? "").split(separator: "\n")
      let files = rows.first { $0.hasPrefix("Max open files") }.map { $0.split(separator: " ") } ?? []
      #expect(files.dropFirst(3).prefix(2) == ["256", "256"])
    }
  }

  @Test("Many processes that wait for a shared volume keep no other work waiting", .timeLimit(.minutes(10)))
  func sharedWait() async throws {
    try await ContainerFixture.use { fixture in
      let path = "\(fixture.root)/data/shared"
      try Files.makeFolder(path)
      defer { umount2(path, 2) }
      let jobs = (0..<12).map { "job\($0)" }
      for job in jobs {
        // Without /var/vcap/store they fail right after the volume, so that no containers are needed.
        try fixture.configure(
          job,
          "- name: \(job)\n  executable: /bin/true\n  persistent_disk: true\n"
            + "  additional_volumes: [{path: \(path), shared: true, mount_only: true}]\n")
      }
      try Files.makeFolder(JobProcess.locksFolder(fixture.root))
      let lock = try LockFile.acquire(JobProcess.volumeLock(fixture.root, path))
      try await withThrowingTaskGroup(of: Int32.self) { group in
        for job in jobs { group.addTask { await fixture.bpm("start", job).status } }
        // As many threads as the machine has processors would all be stuck by now.
        #expect(
          try await fixture.eventually {
            jobs.allSatisfy { fixture.log($0).contains("creating-job-prerequisites") }
          })
        #expect(!jobs.contains { fixture.log($0).contains("bpm.start.complete") })
        lock.release()
        for try await status in group { #expect(status == 1) }
      }
      #expect(jobs.allSatisfy { fixture.log($0).contains("requested persistent disk does not exist") })
    }
  }

  @Test("The hook runs before each start as root on the host, with the process's environment, and writes to its log")
  func hook() async throws {
    try await ContainerFixture.use { fixture in
      let hook = "\(fixture.root)/hook"
      try writeTestFile(hook, "#!/bin/sh\necho hook $(id -u) $A $HOME $#\n", mode: 0o755)
      let lines = try await says(fixture, "echo process", "  env: {A: x}\n  hooks: {pre_start: \(hook)}\n")
      #expect(lines == ["hook 0 x /var/vcap/data/web 0", "process"])
    }
  }

  static let device: String? = {
    let found = ["/dev/fuse", "/dev/net/tun", "/dev/loop-control"].first(where: Files.isVisible)
    if found == nil { print("skipped: devices in containers: this machine has none that the test would use") }
    return found
  }()

  @Test("A device of the host is there when it is asked for", .enabled(if: device != nil))
  func deviceOfTheHost() async throws {
    try await ContainerFixture.use { fixture in
      let path = try #require(Self.device)
      let lines = try await says(
        fixture, "exec 3<>\(path) && echo opened; test -e /dev/console || echo none", "  devices: [{path: \(path)}]\n")
      #expect(lines == ["opened", "none"])
    }
  }
}
