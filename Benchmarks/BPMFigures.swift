import Formats
import Glibc
import Processes

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
    return Accounts.find(user: "vcap") == nil ? "there is no user vcap (useradd --no-create-home vcap)" : nil
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

  private func runc(_ words: [String]) async throws {
    try await Command(["runc", "--root", "\(root)/runc"] + words).run()
  }

  private func stopAll() async {
    for job in (0..<Self.jobs).map({ "job\($0)" }) { try? await command(["stop", job]) }
    try? await runc(["delete", "--force", "bare"])
  }

  private func measure() async throws -> [Figure] {
    var starts: [Double] = []
    var bare: [Double] = []
    var stops: [Double] = []
    for round in 0...Self.runs {
      let start = try await Timing.once { try await command(["start", "job0"]) }
      try await Self.copyBundle(from: "\(root)/data/bpm/bundles/job0/job0", to: "\(root)/bare")
      // sleep obeys at once: its own end is a millisecond or so of this.
      let stop = try await Timing.once { try await command(["stop", "job0"]) }
      let floor = try await Timing.once { try await bareRun() }
      try await runc(["delete", "--force", "bare"])
      // The first round only warms up.
      if round == 0 { continue }
      starts.append(start)
      stops.append(stop)
      bare.append(floor)
    }
    let added = Timing(seconds: zip(starts, bare).map { $0 - $1 })
    for job in (0..<Self.jobs).map({ "job\($0)" }) { try await command(["start", job]) }
    let pid = try await Timing.of(30) { try await command(["pid", "job0"]) }
    let list = try await Timing.of(30) { try await command(["list"]) }
    let version = try await Timing.of(30) { try await command(["version"]) }
    let size = Double(Files.size(bpm) ?? 0) / 1e6
    return [
      Self.figure(
        "bpm start beyond runc run -d", added, 12, "runc \(Figure.text(Timing(seconds: bare).median * 1000))"),
      Self.figure("bpm stop of an obedient process", Timing(seconds: stops), 30, "the process's own end included"),
      Self.figure("bpm pid", pid, 10, "no runc"),
      Self.figure("bpm list (\(Self.jobs) jobs)", list, 10, "no runc"),
      Self.figure("bpm version", version, 8, ""),
      Figure(name: "bpm on disk", value: size, unit: "MB", note: "stripped"),
    ]
  }

  private func bareRun() async throws {
    // A detached container keeps its output open.
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    let child = try ChildProcess(
      ["runc", "--root", "\(root)/runc", "run", "--bundle", "\(root)/bare", "--detach", "bare"], output: null,
      errors: null)
    guard try await child.ending() == .exited(0) else { throw DroverError(.failed, "bare runc run failed") }
  }

  /// The same container under a cgroup of its own.
  private static func copyBundle(from source: String, to target: String) async throws {
    guard !Files.exists(target) else { return }
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

  private static func figure(_ name: String, _ timing: Timing, _ limit: Double, _ note: String) -> Figure {
    Figure(
      name: name, value: timing.median * 1000, unit: "ms", bound: .atMost(limit),
      note: timing.spread(1000) + (note.isEmpty ? "" : "; \(note)"))
  }
}
