import Files
import Formats
import Glibc
import Processes
import Surroundings

/// bpm beside bare runc, in pairs in one run: what isolating a process costs beyond making its container.
struct BPMFigures {
  private let bpm: String
  private let root: String
  private let environment: [String: String]

  private static let jobs = 20
  private static let runs = 15

  /// Why bpm cannot be measured here; nil when it can.
  static var obstacle: String? {
    if getuid() != 0 { return "it needs root" }
    return ((try? Accounts.find(user: "vcap")) ?? nil) == nil
      ? "there is no user vcap (useradd --no-create-home vcap)" : nil
  }

  static func measure(programs folder: String) async throws -> [Figure] {
    if let obstacle { throw DroverError(.unsupported, "bpm cannot be measured: \(obstacle)") }
    let root = "/tmp/drover-bench-bpm-\(getpid())"
    defer { try? Files.remove(root) }
    var environment = Environment.current()
    environment["BPM_BOSH_ROOT"] = root
    let figures = BPMFigures(bpm: "\(folder)/bpm", root: root, environment: environment)
    try figures.prepare()
    do {
      let measured = try await figures.measure()
      await figures.stopAll()
      return measured
    } catch {
      await figures.stopAll()
      throw error
    }
  }

  private func prepare() throws {
    for path in ["packages", "data/packages"] { try Files.makeFolder("\(root)/\(path)") }
    chmod(root, 0o755)
    for job in (0..<Self.jobs).map({ "job\($0)" }) {
      try Files.makeFolder("\(root)/jobs/\(job)/config")
      let text = "processes:\n- name: \(job)\n  executable: /bin/sleep\n  args: [1000]\n"
      _ = try Files.create("\(root)/jobs/\(job)/config/bpm.yml", with: Array(text.utf8), mode: 0o644)
    }
  }

  private func command(_ words: [String]) async throws {
    var command = Command([bpm] + words)
    command.environment = environment
    try await command.run()
  }

  private func runc(_ words: [String], root: String? = nil) async throws {
    try await Command(["runc", "--root", root ?? "\(self.root)/runc"] + words).run()
  }

  private func stopAll() async {
    for job in (0..<Self.jobs).map({ "job\($0)" }) { try? await command(["stop", job]) }
    try? await runc(["delete", "--force", "bare"])
  }

  private func measure() async throws -> [Figure] {
    try await command(["start", "job0"])
    try await Self.copyBundle(from: "\(root)/data/bpm/bundles/job0/job0", to: "\(root)/bare")
    try await command(["stop", "job0"])
    var figures = try await lifeFigures()
    for job in (0..<Self.jobs).map({ "job\($0)" }) { try await command(["start", job]) }
    figures += try await lookFigures()
    let size = Double(try Files.size(bpm) ?? 0) / 1e6
    return figures + [Figure(name: "bpm on disk", value: size, unit: "MB", note: "stripped")]
  }

  /// Starting and stopping beside runc's doing the same. Whatever else the machine does then is in both of a pair, and
  /// now one of them comes first, now the other.
  private func lifeFigures() async throws -> [Figure] {
    var starts = Pairs()
    var stops = Pairs()
    // The first two rounds only warm up.
    for round in 0..<Self.runs + 2 {
      var ours = (start: 0.0, stop: 0.0)
      var bare = ours
      for isOurs in round % 2 == 0 ? [true, false] : [false, true] {
        if isOurs {
          ours.start = try await Timing.once { try await command(["start", "job0"]) }
          try await settle(pidfile: "\(root)/sys/run/bpm/job0/job0.pid")
          ours.stop = try await Timing.once { try await command(["stop", "job0"]) }
        } else {
          bare.start = try await Timing.once { try await bareRun() }
          let first = try await settle(pidfile: "\(root)/bare.pid")
          bare.stop = try await Timing.once {
            try first.signal(SIGTERM)
            try await first.waitForExit()
          }
          try await runc(["delete", "--force", "bare"])
        }
      }
      if round < 2 { continue }
      starts.add(ours.start, bare.start)
      stops.add(ours.stop, bare.stop)
    }
    return [
      starts.difference("bpm start beyond runc run -d", atMost: 12, "bpm", "runc"),
      stops.difference("bpm stop beyond the process's exit", atMost: 30, "bpm", "exit"),
    ]
  }

  /// What only looks, beside runc's own ways to look.
  private func lookFigures() async throws -> [Figure] {
    var (pid, list, version) = (Pairs(), Pairs(), Pairs())
    for round in 0..<32 {
      let times = [
        try await Timing.once { try await command(["pid", "job0"]) },
        try await Timing.once { try await runc(["state", "bpm-job0"], root: "\(root)/sys/run/bpm-runc") },
        try await Timing.once { try await command(["list"]) },
        try await Timing.once { try await runc(["list"], root: "\(root)/sys/run/bpm-runc") },
        try await Timing.once { try await command(["version"]) },
        try await Timing.once { try await Command("/bin/true").run() },
      ]
      if round < 2 { continue }
      pid.add(times[0], times[1])
      list.add(times[2], times[3])
      version.add(times[4], times[5])
    }
    return [
      pid.first("bpm pid", atMost: 10, "runc state"),
      list.first("bpm list (\(Self.jobs) jobs)", atMost: 10, "runc list"),
      version.first("bpm version", atMost: 8, "/bin/true"),
    ]
  }

  /// Waits until a container's first process heeds signals: its tini has started the process then.
  @discardableResult
  private func settle(pidfile: String) async throws -> ProcessIdentity {
    guard let pid = try Pidfile(pidfile).read(), let process = ProcessIdentity(livingPid: pid) else {
      throw DroverError(.failed, "no living process in \(pidfile)")
    }
    while process.isAlive, (Files.textIfPresent("/proc/\(pid)/task/\(pid)/children") ?? "1").isEmpty {
      try await Surroundings.system.sleep(.milliseconds(1))
    }
    return process
  }

  private func bareRun() async throws {
    // A detached container keeps its output open.
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    let child = try ChildProcess(
      [
        "runc", "--root", "\(root)/runc", "run", "--bundle", "\(root)/bare", "--pid-file", "\(root)/bare.pid",
        "--detach", "bare",
      ], output: null, errors: null)
    guard try await child.ending() == .exited(0) else { throw DroverError(.failed, "bare runc run failed") }
  }

  /// The same container under a cgroup of its own.
  private static func copyBundle(from source: String, to target: String) async throws {
    guard try !Files.exists(target) else { return }
    try await Command("cp", "-a", source, target).run()
    var spec = try JSON.parse(try Files.read("\(target)/config.json"))
    if var members = spec.object, var linux = members["linux"]?.object {
      linux["cgroupsPath"] = .string((linux["cgroupsPath"]?.string ?? "/bpm") + "-bare")
      members["linux"] = .object(linux)
      if var root = members["root"]?.object {
        root["path"] = .string("\(target)/rootfs")
        members["root"] = .object(root)
      }
      spec = .object(members)
    }
    try Files.replace("\(target)/config.json", with: JSON.bytes(spec))
  }
}

/// Two things, measured by turns in one run.
private struct Pairs {
  private var ours: [Double] = []
  private var others: [Double] = []

  mutating func add(_ our: Double, _ other: Double) {
    ours.append(our)
    others.append(other)
  }

  private static func text(_ name: String, _ timing: Timing) -> String {
    "\(name) \(Figure.text(timing.median * 1000)) (min \(Figure.text(timing.minimum * 1000)))"
  }

  /// What ours takes beyond the other: the median of the pairs' differences.
  func difference(_ name: String, atMost limit: Double, _ our: String, _ other: String) -> Figure {
    let added = Timing(seconds: zip(ours, others).map { $0 - $1 })
    return Figure(
      name: name, value: added.median * 1000, unit: "ms", bound: .atMost(limit),
      note: "\(Self.text(our, Timing(seconds: ours))), \(Self.text(other, Timing(seconds: others))), "
        + "\(ours.count) pairs")
  }

  /// What ours takes, with its ratio to the other.
  func first(_ name: String, atMost limit: Double, _ other: String) -> Figure {
    let ratio = Timing(seconds: zip(ours, others).map { $0 / $1 })
    let timing = Timing(seconds: ours)
    return Figure(
      name: name, value: timing.median * 1000, unit: "ms", bound: .atMost(limit),
      note: "min \(Figure.text(timing.minimum * 1000)), \(Self.text(other, Timing(seconds: others))), "
        + "ratio \(Figure.text(ratio.median)), \(ours.count) pairs")
  }
}
