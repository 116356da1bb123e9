import Files
import Formats
import Glibc
import Processes
import TestSupport
import Testing

@testable import BPM

@Suite("What a machine forbids")
struct HostAbilitiesTests {
  private static func host(_ change: (inout HostAbilities) -> Void) -> HostAbilities {
    var host = HostAbilities(controllers: ["memory", "pids"], capabilities: ["CAP_NET_ADMIN"])
    change(&host)
    return host
  }

  @Test(
    "A test is left out for a reason that says what is missing, and only then",
    arguments: [
      (host { _ in }, .containers, nil),
      (host { $0.isRoot = false }, .containers, "containers need root"),
      (host { $0.programs.remove("tini") }, .containers, "tini is not installed"),
      (host { $0.programs = [] }, .containers, "runc is not installed"),
      (host { _ in }, .controller("memory"), nil),
      (host { _ in }, .controller("cpu"), "this machine has no cgroup controller cpu"),
      (host { _ in }, .capability("CAP_NET_ADMIN"), nil),
      (host { _ in }, .capability("CAP_SYS_RESOURCE"), "this machine cannot give CAP_SYS_RESOURCE"),
      (host { _ in }, .openFiles(1024), nil),
      (
        host { _ in }, .openFiles(1025),
        "1025 open files are more than the hard limit that bpm was started with (1024, see 'ulimit -Hn'), and without "
          + "the capability CAP_SYS_RESOURCE it cannot be raised"
      ),
      (host { $0.room.isExtensible = true }, .openFiles(1025), nil),
      (
        host { $0.room = .init(openFiles: 1, coreFileSize: 1, isExtensible: true, openFilesCeiling: 4096) },
        .openFiles(4097),
        "4097 open files are more than this machine's kernel gives to anybody (sysctl fs.nr_open: 4096)"
      ),
    ] as [(HostAbilities, HostAbilities.Need, String?)])
  func reasons(host: HostAbilities, need: HostAbilities.Need, reason: String?) {
    #expect(host.obstacle(to: need) == reason)
    #expect(host.obstacle(to: [.program("runc"), need]) == (host.programs.isEmpty ? "runc is not installed" : reason))
  }

  @Test("Controllers are those of all hierarchies")
  func controllers() {
    let old = "30 1 0:1 / /sys/fs/cgroup/memory rw - cgroup c rw,memory\n31 1 0:2 / /u rw - cgroup2 c rw\n"
    #expect(HostAbilities.controllers(mountInfo: old, unified: nil) == ["memory"])
    let new = "31 1 0:2 / /sys/fs/cgroup rw - cgroup2 c rw\n"
    #expect(HostAbilities.controllers(mountInfo: new, unified: "cpu io memory\n") == ["cpu", "io", "memory"])
  }

  static let isFit = HostAbilities.has(.containers, .program("setpriv"), for: "limits without CAP_SYS_RESOURCE")

  @Test(
    "Where a limit cannot be raised, start and run say which, and why, and leave nothing",
    .enabled(if: isFit), arguments: ["start", "run"])
  func withoutCapability(command: String) async throws {
    try await ContainerFixture.use { fixture in
      try fixture.configure("web", ContainerFixture.sleeper + "  limits: {open_files: 5000}\n")
      let errors = "\(fixture.root)/errors"
      let program = try fixture.program {
        "ulimit -n 1000 && exec setpriv --inh-caps=-sys_resource --bounding-set=-sys_resource \($0) \(command) web "
          + "2>\(errors)"
      }
      #expect(try await program.ending() == .exited(1))
      #expect(
        fixture.text("errors").contains(
          "5000 open files are more than the hard limit that bpm was started with (1000, see 'ulimit -Hn'), and without "
            + "the capability CAP_SYS_RESOURCE it cannot be raised"), "\(fixture.text("errors"))")
      #expect(fixture.text("errors").contains("job web, process web, key limits.open_files, line"))
      #expect(fixture.log("web").contains("CAP_SYS_RESOURCE"))
      #expect(try !Files.exists("\(fixture.root)/data/bpm/bundles/web/web"))
      #expect(try !Files.exists("\(fixture.root)/data/web"))
      #expect(try fixture.setup.observer.ids().isEmpty)
    }
  }

  static let isRoomy = HostAbilities.has(
    .containers, .openFiles(ResourceRoom.own().openFiles + 1), for: "open files above bpm's own limit")

  @Test("Where it can be raised, a process gets more open files than bpm has itself", .enabled(if: isRoomy))
  func withCapability() async throws {
    try await ContainerFixture.use { fixture in
      let count = ResourceRoom.own().openFiles + 1
      try fixture.configure("web", ContainerFixture.sleeper + "  limits: {open_files: \(count)}\n")
      #expect(await fixture.bpm("start", "web").status == 0)
      let limits = Files.textIfPresent("/proc/\(try fixture.lifecycle("web").pid())/limits") ?? ""
      #expect(limits.contains("\(count) "))
    }
  }

  @Test("The limits that a process has are found", .enabled(if: geteuid() == 0))
  func own() {
    let own = ResourceRoom.own()
    var limit = rlimit()
    #expect(getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
    #expect(own.openFiles == UInt64(limit.rlim_max))
    #expect(own.problem(ofOpenFiles: own.openFiles) == nil)
    #expect(own.problem(ofOpenFiles: .max) != nil)
  }
}
