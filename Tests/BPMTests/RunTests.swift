import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import BPM

@Suite("bpm run", .enabled(if: ContainerFixture.isPossible))
struct RunTests {
  private static func shell(_ script: String) -> String {
    "- name: web\n  executable: /bin/sh\n  args: [-c, \(JSON.text(.string(script)))]\n"
  }

  @Test("The status is the process's, output goes to the logs, and no bundle and no pidfile are left")
  func status() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", Self.shell("echo out $A; echo err >&2; exit $B"))
      let said = await fixture.bpm("run", "web", "-e", "A=x", "-e", "B=3")
      #expect(said.status == 3)
      #expect(said.errors == "Error: failed to run job-process: exit status 3 (exit status 3)\n")
      #expect(fixture.text("sys/log/web/web.stdout.log") == "out x\n")
      #expect(fixture.text("sys/log/web/web.stderr.log") == "err\n")
      #expect(try !Files.exists("\(fixture.root)/data/bpm/bundles/web/web"))
      #expect(try !Files.exists("\(fixture.root)/sys/run/bpm/web/web.pid"))
      #expect(try fixture.setup.observer.ids().isEmpty)
      #expect(await fixture.bpm("run", "web", "-e", "B=0").status == 0)
    }
  }

  @Test("stop ends a run, which ends with the signal's status")
  func stop() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", Self.shell("echo begun; exec sleep 1000"))
      async let run = fixture.bpm("run", "web")
      #expect(try await fixture.eventually { fixture.text("sys/log/web/web.stdout.log") == "begun\n" })
      #expect(await fixture.bpm("list").output.contains(" running\n"))
      #expect(await fixture.bpm("start", "web").status == 0)
      #expect(await fixture.bpm("stop", "web").status == 0)
      #expect(await run.status == 143)
      #expect(try fixture.setup.observer.ids().isEmpty)
    }
  }

  @Test("A signal to the program reaches the process, and the program ends with its status")
  func signals() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", Self.shell("trap 'exit 7' TERM; echo begun; while :; do sleep 0.05; done"))
      let program = try fixture.program("run", "web")
      #expect(try await fixture.eventually { fixture.text("sys/log/web/web.stdout.log") == "begun\n" })
      program.signal(SIGTERM)
      #expect(try await program.ending() == .exited(7))
      #expect(try fixture.setup.observer.ids().isEmpty)
      #expect(try !Files.exists("\(fixture.root)/data/bpm/bundles/web/web"))
    }
  }

  @Test("The program that is killed leaves a process that start and stop find")
  func killed() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", Self.shell("echo begun; exec sleep 1000"))
      let program = try fixture.program("run", "web")
      #expect(try await fixture.eventually { fixture.text("sys/log/web/web.stdout.log") == "begun\n" })
      let pid = try fixture.lifecycle("web").pid()
      program.signal(SIGKILL)
      _ = try await program.ending()
      #expect(await fixture.bpm("stop", "web").status == 0)
      #expect(ProcessIdentity(livingPid: pid) == nil)
    }
  }

  @Test("The status of bpm shell is the shell's")
  func shell() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      #expect(await fixture.bpm("start", "web").status == 0)
      let typed = "\(fixture.root)/typed"
      try writeTestFile(typed, "exit 7\n", mode: 0o600)
      let input = try OpenFile(reading: typed)
      // `script` gives it a terminal.
      let program = try fixture.program(input: input.descriptor) { "exec script -qec '\($0) shell web' /dev/null" }
      #expect(try await program.ending() == .exited(7))
    }
  }

  @Test("What runs already is not run again")
  func alreadyRunning() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      #expect(await fixture.bpm("start", "web").status == 0)
      #expect(await fixture.bpm("run", "web") == (0, "", ""))
      #expect(await fixture.bpm("stop", "web").status == 0)
    }
  }

  @Test(
    "Volumes and variables of the command line are checked",
    arguments: [
      ("-v", "/a:b:c", "invalid volume definition"), ("-v", "/etc", "invalid volume path: /etc must be within"),
      ("-e", "A", "invalid envionment variable definition (format should be KEY=value): \"A\""),
    ])
  func overrides(flag: String, value: String, message: String) async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      let said = await fixture.bpm("run", "web", flag, value)
      #expect(said.status == 1 && said.errors.hasPrefix("Error: \(message)"), "\(said)")
    }
  }
}
