import AgentProtocol
import Archives
import Digests
import Files
import Formats
import Glibc
import Processes

/// An agent with many jobs, each with a process that it watches.
enum ServiceFigures {
  private static let jobs = 50

  static func measure(programs folder: String) async throws -> [Figure] {
    try await BenchAgent.with(program: "\(folder)/drover-agent") { agent in
      do {
        let figures = try await measure(agent)
        try await stop(agent)
        return figures
      } catch {
        try? await stop(agent)
        throw error
      }
    }
  }

  private static func measure(_ agent: BenchAgent) async throws -> [Figure] {
    let specs = try (1...6).map { try spec(version: $0, agent) }
    let (applied, busy) = try await agent.running { pid in
      try await agent.waitForPong()
      var times: [Double] = []
      for spec in specs { times.append(try await Timing.once { _ = try await agent.call("apply", [spec]) }) }
      _ = try await agent.call("start")
      while try await agent.call("get_state")["job_state"]?.string != "running" {
        try await Task.sleep(for: .milliseconds(50))
      }
      // Past what a start leaves to be done.
      try await Task.sleep(for: .seconds(5))
      let seconds = 20.0
      let before = try cpu(of: pid)
      try await Task.sleep(for: .seconds(seconds))
      return (Timing(seconds: Array(times.dropFirst())), (try cpu(of: pid) - before) / seconds * 100)
    }
    var starts: [Double] = []
    for _ in 0..<6 {
      starts.append(try await agent.running { _ in try await Timing.once { try await agent.waitForPong() } })
    }
    let start = Timing(seconds: Array(starts.dropFirst()))
    _ = try await agent.running { _ in
      try await agent.waitForPong()
      return try await agent.call("stop")
    }
    return [
      Figure(
        name: "\(jobs) jobs applied", value: applied.median, unit: "s", bound: .atMost(1),
        note: "blobs local, \(jobs) packages; \(applied.spread(1))"),
      Figure(
        name: "CPU of an idle agent with \(jobs) services", value: busy, unit: "%", bound: .atMost(0.2),
        note: "over 20 s"),
      Figure(
        name: "agent's restart to first pong with \(jobs) services", value: start.median * 1000, unit: "ms",
        note: start.spread(1000)),
    ]
  }

  /// The services outlive the agent; they end here in any case.
  private static func stop(_ agent: BenchAgent) async throws {
    for job in 0..<jobs {
      let pidfile = Pidfile("\(agent.base)/sys/run/job-\(job)/job-\(job).pid")
      if let process = try pidfile.process() { _ = try process.signal(SIGKILL) }
    }
  }

  /// Seconds of processor time that a process has used.
  private static func cpu(of pid: Int) throws -> Double {
    let text = Files.textIfPresent("/proc/\(pid)/stat") ?? ""
    let fields = text.split(separator: ")").last?.split(separator: " ") ?? []
    guard fields.count > 12, let user = Double(fields[11]), let system = Double(fields[12]) else {
      throw DroverError(.notFound, "reading the processor time of process \(pid)")
    }
    return (user + system) / Double(sysconf(Int32(_SC_CLK_TCK)))
  }

  private static func spec(version: Int, _ agent: BenchAgent) throws -> Value {
    var spec = ApplySpec(deployment: "bench", name: "group", id: "instance", index: 0, az: "z1")
    spec.job = ApplySpec.Job(
      name: "group", template: "job-0",
      templates: (0..<jobs).map { ApplySpec.Template(name: "job-\($0)", version: "\(version)") })
    spec.networks = ["default": ["ip": "10.0.0.9"]]
    spec.configurationHash = "hash-\(version)"
    var files: [String: String] = [:]
    for job in 0..<jobs {
      files.merge(service("job-\(job)", base: agent.base)) { first, _ in first }
      for number in 0..<5 {
        files["job-\(job)/config/\(number).yml"] =
          "version: \(version)\n" + String(repeating: "key: value\n", count: 300)
      }
    }
    let rendered = "rendered-\(version)"
    spec.renderedTemplatesArchive = .init(sha1: try blob(files, rendered, agent), blobstoreID: rendered)
    spec.packages = try (0..<jobs).map { number in
      let id = "package-\(number)-\(version)"
      let content = ["bin/program": String(repeating: "\(number) \(version)\n", count: 5000)]
      return ApplySpec.Package(
        name: "package-\(number)", version: "\(version)", sha1: try blob(content, id, agent), blobstoreID: id)
    }
    return spec.value
  }

  private static func service(_ name: String, base: String) -> [String: String] {
    let pidfile = "\(base)/sys/run/\(name)/\(name).pid"
    return [
      "\(name)/monit": """
      check process \(name)
        with pidfile \(pidfile)
        start program "\(base)/jobs/\(name)/bin/ctl start"
        stop program "\(base)/jobs/\(name)/bin/ctl stop"
        group vcap

      """,
      "\(name)/bin/ctl": """
      #!/bin/sh
      case $1 in
        start) sleep 600 </dev/null >/dev/null 2>&1 & echo $! > \(pidfile) ;;
        stop) kill $(cat \(pidfile)); rm -f \(pidfile) ;;
      esac

      """,
    ]
  }

  private static func blob(_ files: [String: String], _ id: String, _ agent: BenchAgent) throws -> String {
    let source = "\(agent.folder)/packing"
    try Files.remove(source)
    for (path, text) in files {
      let place = "\(source)/\(path)"
      try Files.makeFolder(String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)]))
      try Files.replace(place, with: Array(text.utf8), mode: text.hasPrefix("#!") ? 0o755 : 0o644)
    }
    let options = Archives.PackOptions(compression: .gzip(level: 1))
    return try Archives.pack(source, to: "\(agent.folder)/blobstore/\(id)", options: options).digest.description
  }
}
