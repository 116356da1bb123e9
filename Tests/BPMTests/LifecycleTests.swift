import Containers
import Files
import Formats
import Glibc
import Processes
import Surroundings
import TestSupport
import Testing

@testable import BPM

@Suite("Lifecycle", .enabled(if: ContainerFixture.isPossible))
struct LifecycleTests {
  @Test("A process is started, found, listed and stopped, with the original's files, owners and modes")
  func startToStop() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper + "- {name: other, executable: /bin/true}\n")
      #expect(await fixture.bpm("start", "web") == (0, "", ""))
      let pid = try fixture.lifecycle("web").pid()
      #expect(await fixture.bpm("pid", "web") == (0, "\(pid)\n", ""))
      #expect(fixture.text("sys/run/bpm/web/web.pid") == "\(pid)")
      let list = await fixture.bpm("list")
      let blanks = String(repeating: " ", count: max(3, String(pid).count) - 1)
      #expect(list.output.contains("\nweb       \(pid) running\n"), "\(list)")
      #expect(list.output.contains("\nweb.other -\(blanks) stopped\n"), "\(list)")
      for (path, mode, owner) in [
        ("data/bpm/bundles/web/web", 0o700, 0), ("data/bpm/bundles/web/web/config.json", 0o600, 0),
        ("data/bpm/bundles/web/web/rootfs", 0o755, 0), ("sys/run/bpm/web", 0o700, 0), ("data/web", 0o700, 0),
        ("data/bpm/locks/job-bpm-web.2eweb.lock", 0o600, 0), ("data/web/tmp", 0o700, 1000),
        ("sys/run/web", 0o700, 1000), ("sys/log/web", 0o750, 1000), ("sys/log/web/web.stdout.log", 0o600, 1000),
        ("sys/log/web/bpm.log", 0o600, 1000), ("sys", 0o755, 0), ("sys/run", 0o755, 0),
      ] {
        let facts = try #require(try FileFacts("\(fixture.root)/\(path)"), "\(path)")
        #expect(facts.permissions == mode && facts.user == owner, "\(path) \(facts)")
      }
      #expect(await fixture.bpm("stop", "web") == (0, "", ""))
      #expect(ProcessIdentity(livingPid: pid) == nil)
      #expect(try !Files.exists("\(fixture.root)/data/bpm/bundles/web/web"))
      #expect(try !Files.exists("\(fixture.root)/sys/run/bpm/web/web.pid"))
      #expect(await fixture.bpm("pid", "web") == (1, "", "Error: process is not running or could not be found\n"))
      #expect(await fixture.bpm("stop", "web") == (0, "", ""))
      for event in ["bpm.start.starting", "bpm.start.complete", "bpm.stop.starting", "job-already-stopped"] {
        #expect(fixture.log("web").contains(event), "\(event)")
      }
    }
  }

  @Test("A second start leaves the running process alone, also when both are at once")
  func twice() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      async let first = fixture.bpm("start", "web")
      async let second = fixture.bpm("start", "web")
      #expect(await [first.status, second.status] == [0, 0])
      let pid = try fixture.lifecycle("web").pid()
      #expect(await fixture.bpm("start", "web").status == 0)
      #expect(try fixture.lifecycle("web").pid() == pid)
      #expect(fixture.log("web").contains("process-already-running"))
    }
  }

  @Test("A process that has died is started anew")
  func died() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      #expect(await fixture.bpm("start", "web").status == 0)
      let pid = try fixture.lifecycle("web").pid()
      let process = try #require(ProcessIdentity(livingPid: pid))
      try process.signal(SIGKILL)
      try await process.waitForExit()
      #expect(await fixture.bpm("list").output.contains("web  -   failed\n"))
      #expect(await fixture.bpm("start", "web").status == 0)
      #expect(try fixture.lifecycle("web").pid() != pid)
    }
  }

  @Test("Why runc fails is told on stderr and in bpm.log, and nothing is left behind")
  func reason() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", "- {name: web, executable: /bin/true, workdir: relative}\n")
      let said = await fixture.bpm("start", "web")
      #expect(said.status == 1)
      #expect(said.errors.hasPrefix("Error: failed to start job-process: "))
      #expect(said.errors.contains("absolute") && !said.errors.contains("exit status"), "\(said.errors)")
      #expect(fixture.log("web").contains("absolute"))
      #expect(try !Files.exists("\(fixture.root)/data/bpm/bundles/web/web"))
      #expect(try fixture.setup.observer.ids().isEmpty)
    }
  }

  @Test(
    "A step that fails is told with its cause, leaves nothing and holds no lock",
    arguments: [
      ("limits: {memory: lots}", "byte quantity must be", "key limits.memory, line 2"),
      ("hooks: {pre_start: /bin/false}", "prestart hook failed: exit status 1", ""),
      ("hooks: {pre_start: /no/such}", "prestart hook failed: fork/exec /no/such: no such file", "hooks.pre_start"),
      ("hooks: {}", "prestart hook failed: exec: no command", ""),
      ("persistent_disk: true", "failed to create system files: requested persistent disk does not exist", ""),
      ("unsafe: {unrestricted_volumes: [{path: '/[a'}]}", "syntax error in pattern", "unrestricted_volumes[0].path"),
      ("devices: [{path: /dev/no-such}]", "/dev/no-such is not on this host", "key devices"),
    ])
  func failures(member: String, cause: String, place: String) async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", "- {name: web, executable: /bin/true, \(member)}\n")
      for command in ["start", "run"] {
        let said = await fixture.bpm(command, "web")
        #expect(said.status == 1 && said.errors.contains(cause), "\(command) \(said)")
        #expect(place.isEmpty || said.errors.contains(place), "\(said)")
        #expect(fixture.log("web").contains("failed-to-start"))
        #expect(try !Files.exists("\(fixture.root)/data/bpm/bundles/web/web"))
        let lock = try LockFile.tryAcquire("\(fixture.root)/data/bpm/locks/job-bpm-web.2eweb.lock")
        #expect(lock != nil)
        lock?.release()
      }
    }
  }

  @Test("The end of a process is noticed by itself, without any time having to pass")
  func endWithoutTime() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      #expect(await fixture.bpm("start", "web").status == 0)
      let pid = try fixture.lifecycle("web").pid()
      #expect(try await fixture.eventually { Lifecycle.heeds(pid) })
      let real = Surroundings.system
      let frozen = Surroundings(
        now: real.now, elapsed: { .zero }, sleep: { _ in while true { try await real.sleep(.seconds(3600)) } },
        identifier: real.identifier, randomBytes: real.randomBytes)
      let setup = BPMSetup(root: fixture.root, user: fixture.setup.user, surroundings: frozen)
      try await Lifecycle(setup, job: "web", process: "web").stop()
      #expect(try fixture.setup.observer.ids().isEmpty)
      #expect(!fixture.log("web").contains("failed-to-stop"))
    }
  }

  @Test("A stop right after a start does not lose its signal")
  func stopAtOnce() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      for _ in 0..<10 {
        #expect(await fixture.bpm("start", "web").status == 0)
        #expect(await fixture.bpm("stop", "web").status == 0)
      }
      #expect(!fixture.log("web").contains("failed-to-stop"))
    }
  }

  @Test("A paused process is let go on, so that it can end in order")
  func paused() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      #expect(await fixture.bpm("start", "web").status == 0)
      try await Command("runc", "--root", fixture.setup.runcRoot, "pause", "bpm-web").run()
      #expect(fixture.setup.observer.observe("bpm-web").status == .paused)
      #expect(await fixture.bpm("list").output.contains(" failed\n"))
      #expect(await fixture.bpm("stop", "web") == (0, "", ""))
      #expect(!fixture.log("web").contains("failed-to-stop"))
      #expect(try fixture.setup.observer.ids().isEmpty)
    }
  }

  @Test("stop works when bpm.yml is gone or broken", arguments: ["", "processes: ["])
  func stopWithoutConfiguration(text: String) async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      #expect(await fixture.bpm("start", "web").status == 0)
      let pid = try fixture.lifecycle("web").pid()
      let path = "\(fixture.root)/jobs/web/config/bpm.yml"
      try Files.remove(path)
      if !text.isEmpty { try writeTestFile(path, text, mode: 0o644) }
      #expect(await fixture.bpm("stop", "web") == (0, "", ""))
      #expect(ProcessIdentity(livingPid: pid) == nil)
    }
  }

  @Test("A process that ignores its signal is ended by force once its time is over")
  func stubborn() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure(
        "web",
        """
        - name: web
          executable: /bin/sh
          args: [-c, "trap '' TERM QUIT; echo ready; while :; do sleep 0.1; done"]
          shutdown_timeout: 0.2

        """)
      #expect(await fixture.bpm("start", "web").status == 0)
      let pid = try fixture.lifecycle("web").pid()
      #expect(try await fixture.eventually { fixture.text("sys/log/web/web.stdout.log") == "ready\n" })
      #expect(await fixture.bpm("stop", "web").status == 0)
      #expect(ProcessIdentity(livingPid: pid) == nil)
      #expect(fixture.log("web").contains("failed to stop job within timeout"))
    }
  }

  @Test("Two processes whose containers would have one id are told apart by an error")
  func namesakes() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("a", "- {name: b, executable: /bin/true}\n")
      try fixture.configure("a.b", "- {name: a.b, executable: /bin/true}\n")
      for words in [["start", "a", "-p", "b"], ["start", "a.b"]] {
        let said = await BPMProgram(setup: fixture.setup, terminal: .own).run(words)
        #expect(said == 1)
      }
      #expect(fixture.log("a").contains("would have the same container (bpm-a.2eb)"))
      #expect(try fixture.setup.observer.ids().isEmpty)
    }
  }

  @Test("Names that leave their folder are refused, and nothing is made", arguments: ["..", "a/b", "../../x", ""])
  func names(name: String) async throws {
    try await ContainerFixture.use { fixture in
      let said = await fixture.bpm("start", name)
      #expect(said.status == 1 && said.errors.hasPrefix("Error: invalid job name"), "\(said)")
      #expect(!Files.isVisible("\(fixture.root)/sys"))
    }
  }

  @Test("A bpm.yml of 10 MB is refused by its size, with the job's name, and nothing is started")
  func large() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", String(repeating: "- {name: web, executable: /bin/true}\n", count: 300_000))
      let said = await fixture.bpm("start", "web")
      #expect(said.status == 1 && said.errors.hasSuffix("bpm.yml': more than 1048576 bytes (job web)\n"), "\(said)")
      #expect(try !Files.exists("\(fixture.root)/data/web"))
    }
  }

  @Test("The first command on a bare machine leaves folders that everybody can pass")
  func bareMachine() async throws {
    try await ContainerFixture.use { fixture in
      let root = "\(fixture.root)/new/vcap"
      let setup = BPMSetup(root: root, user: fixture.setup.user)
      #expect(await BPMProgram(setup: setup, terminal: .own).run(["start", "web"]) == 1)
      let modes = try ["", "/data", "/sys", "/sys/log", "/data/bpm/locks"].map { try FileFacts(root + $0)?.permissions }
      #expect(modes == [0o755, 0o755, 0o755, 0o755, 0o700])
    }
  }
}
