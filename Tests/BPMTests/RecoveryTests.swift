import Containers
import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import BPM

/// Runc's record of a container may be damaged, gone, or of an earlier boot.
@Suite("Recovery", .enabled(if: ContainerFixture.isPossible))
struct RecoveryTests {
  enum Damage: CaseIterable { case cutOff, emptyFile, noFile, noFolder, cutOffEarly }

  private func damage(_ damage: Damage, _ fixture: ContainerFixture) throws {
    let folder = fixture.setup.observer.folder("bpm-web")
    let file = "\(folder)/state.json"
    let bytes = try Files.read(file)
    switch damage {
    case .cutOff: try Files.replace(file, with: Array(bytes.prefix(bytes.count / 2)), mode: 0o600)
    case .cutOffEarly: try Files.replace(file, with: Array(bytes.prefix(20)), mode: 0o600)
    case .emptyFile: try writeTestFile(file, "", mode: 0o600)
    case .noFile: try Files.remove(file)
    case .noFolder: try Files.remove(folder)
    }
  }

  @Test("start ends the lost process before it starts another one", arguments: Damage.allCases)
  func start(damage: Damage) async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      #expect(await fixture.bpm("start", "web").status == 0)
      let pid = try fixture.lifecycle("web").pid()
      try self.damage(damage, fixture)
      let said = await fixture.bpm("start", "web")
      #expect(said.status == 0, "\(said)")
      #expect(ProcessIdentity(livingPid: pid) == nil)
      let now = try fixture.lifecycle("web").pid()
      #expect(now != pid)
      #expect(await fixture.bpm("stop", "web").status == 0)
      #expect(ProcessIdentity(livingPid: now) == nil)
    }
  }

  @Test("stop ends the lost process", arguments: Damage.allCases)
  func stop(damage: Damage) async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      #expect(await fixture.bpm("start", "web").status == 0)
      let pid = try fixture.lifecycle("web").pid()
      try self.damage(damage, fixture)
      #expect(await fixture.bpm("stop", "web").status == 0)
      #expect(ProcessIdentity(livingPid: pid) == nil)
      #expect(try !Files.exists(fixture.setup.observer.folder("bpm-web")))
    }
  }

  @Test(
    "Without a record, and with a pidfile that cannot be read, nothing is started or stopped",
    arguments: ["start", "stop"])
  func unreadable(command: String) async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      let pidfile = try fixture.lifecycle("web").names.pidfile
      try Files.makeFolder(pidfile)
      let said = await fixture.bpm(command, "web")
      #expect(said.status == 1 && said.errors.contains("reading '\(pidfile)': Is a directory"), "\(said)")
      #expect(try !Files.exists(fixture.setup.observer.folder("bpm-web")) && Files.isFolder(pidfile))
      try Files.remove(pidfile)
      #expect(await fixture.bpm(command, "web").status == 0)
    }
  }

  @Test("An empty folder of runc's, as a reboot leaves it, does not keep a process from starting")
  func emptyFolder() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      try Files.makeFolder(fixture.setup.observer.folder("bpm-web"))
      #expect(await fixture.bpm("start", "web").status == 0)
      #expect(try fixture.lifecycle("web").pid() > 0)
    }
  }

  @Test("A process that has a dead container's pid, even with its start time, is left alone")
  func replaced() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      #expect(await fixture.bpm("start", "web").status == 0)
      let folder = fixture.setup.observer.folder("bpm-web")
      let record = try JSON.parse(try Files.read("\(folder)/state.json"))
      #expect(await fixture.bpm("stop", "web").status == 0)

      let innocent = try TestProcess(path: "/bin/sleep", ["1000"])
      defer { innocent.kill() }
      let other = try #require(
        ProcessTable.snapshot().children(of: Int(getpid())).first { $0.name == "sleep" })
      var changed = try #require(record.object)
      changed["init_process_pid"] = .int(other.pid)
      changed["init_process_start"] = .int(Int(other.startTicks))
      try Files.makeFolder(folder)
      try Files.replace("\(folder)/state.json", with: JSON.bytes(.object(changed)), mode: 0o600)
      let found = fixture.setup.observer.observe("bpm-web")
      #expect(found.status == .stopped && found.isReplaced)
      #expect(await fixture.bpm("start", "web").status == 0)
      #expect(ProcessIdentity(livingPid: other.pid)?.startTicks == other.startTicks)
    }
  }

  @Test("A damaged record is told by pid, and list calls it failed")
  func readOnlyCommands() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper)
      let folder = fixture.setup.observer.folder("bpm-web")
      try Files.makeFolder(folder)
      try writeTestFile("\(folder)/state.json", "{\"id\": \"bpm", mode: 0o600)
      let pid = await fixture.bpm("pid", "web")
      #expect(pid.status == 1 && pid.errors.hasPrefix("Error: failed to get job: runc's record in \(folder)"))
      #expect(await fixture.bpm("list").output.contains("web  -   failed\n"))
    }
  }

  @Test("list goes on after a broken bpm.yml and a container that nobody knows, each told on a line")
  func list() async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("a", "- {name: a, executable: /bin/true}\n")
      try fixture.configure("b", "[")
      try Files.makeFolder("\(fixture.root)/jobs/c")
      try fixture.configure("d", "- null\n")
      try Files.makeFolder("\(fixture.setup.runcRoot)/bpm-x.2ey")
      let said = await fixture.bpm("list")
      #expect(said.status == 0 && said.output == "Name Pid Status\na    -   stopped\n")
      let lines = said.errors.split(separator: "\n")
      #expect(lines.count == 3, "\(lines)")
      #expect(lines.first?.hasPrefix("invalid config for b: yaml: ") == true)
      #expect(lines.dropFirst().first?.hasPrefix("invalid config for d: invalid config: name") == true)
      #expect(lines.last == "extra process running: process (x.y) not defined")
    }
  }
}
