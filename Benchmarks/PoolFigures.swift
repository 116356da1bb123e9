import Files
import Formats
import Glibc
import Processes
import Surroundings

/// A server of pools under load: `boskos` on loopback, its database on this machine's disk.
enum PoolFigures {
  private static let connections = 64
  private static let period = 5.0

  static func measure(programs folder: String) async throws -> [Figure] {
    let syncs = try syncRate()
    let middle = try await serving(folder, resources: 10_000) { server in
      let empty = try await load(server.port, (0..<self.connections).map { _ in EmptyScript() })
      let pairs = try await load(server.port, self.pairs())
      let waiting = try await load(server.port, waiters(), seconds: period * 2)
      return (empty, pairs, waiting)
    }
    let (empty, pairs, waiting) = middle.result
    let small = try await serving(folder, resources: 1000) { try await load($0.port, self.pairs()) }
    let large = try await serving(folder, resources: 1_000_000) { try await load($0.port, self.pairs()) }
    let note = "\(connections) connections, 10,000 resources of 10 types, durable; others than 200: \(refused(pairs))"
    return [
      Figure(
        name: "pools: an empty endpoint", value: empty.rate, unit: "requests/s", note: "the same server, the same run"),
      Figure(name: "pools: syncs of the disk", value: syncs, unit: "syncs/s", note: "4 KiB and fdatasync, alone"),
      Figure(
        name: "pools: requests, leases and releases", value: pairs.rate, unit: "requests/s",
        bound: .atLeast(empty.rate / 2), note: note),
      Figure(
        name: "pools: pairs of lease and release", value: pairs.rate / 2, unit: "pairs/s", bound: .atLeast(3000),
        note: note),
      Figure(
        name: "pools: 99 of 100 answers within", value: pairs.percentile(0.99) * 1000, unit: "ms", bound: .atMost(50),
        note: note),
      Figure(
        name: "pools: polls with 10,000 in line", value: waiting.rate, unit: "polls/s", bound: .atLeast(2000),
        note: "one type, request ids"),
      Figure(name: "pools: pairs at 1,000 resources", value: small.result.rate / 2, unit: "pairs/s"),
      Figure(
        name: "pools: pairs at 1,000,000 resources", value: large.result.rate / 2, unit: "pairs/s",
        bound: .atLeast(small.result.rate / 2 * 0.8), note: "of those at 1,000"),
      Figure(
        name: "pools: start with 1,000,000 resources", value: large.start, unit: "s", bound: .atMost(10),
        note: "from the database, to readiness"),
      Figure(
        name: "pools: memory for a resource", value: (large.memory - small.memory) / 999_000, unit: "bytes",
        bound: .atMost(1024), note: "RSS after the load, less that with 1,000"),
    ]
  }

  private static func pairs() -> [PairScript] {
    (0..<connections).map { PairScript(owner: "o\($0)", type: "t\($0 % 10)") }
  }

  private static func waiters() -> [WaitScript] {
    (0..<connections).map { connection in
      WaitScript(ids: (0..<(10_000 / connections)).map { "r\(connection)-\($0)" })
    }
  }

  private static func refused(_ result: LoadResult) -> Int { result.refused.values.reduce(0, +) }

  private static func load<Script: LoadScript & Sendable>(
    _ port: Int, _ scripts: [Script], seconds: Double = period
  ) async throws -> LoadResult {
    try await blocking {
      var load = try PoolLoad(port: port, scripts: scripts)
      return try load.run(seconds: seconds)
    }
  }

  /// A server with its folder; started a second time for what is measured, when the resources are made.
  private static func serving<Result>(
    _ programs: String, resources: Int, _ work: (BenchPools) async throws -> Result
  ) async throws -> (result: Result, start: Double, memory: Double) {
    let folder = "/var/tmp/drover-bench-pools-\(getpid())"
    try Files.makeFolder(folder, mode: 0o700)
    defer { try? Files.remove(folder) }
    let types = (0..<10).map { "- {type: t\($0), names: {prefix: r\($0)-, count: \(resources / 10)}}\n" }
    try Files.replace("\(folder)/config.yaml", with: Array("resources:\n\(types.joined())".utf8), mode: 0o600)
    let first = try await BenchPools.start(program: "\(programs)/boskos", folder: folder)
    try await first.stop()
    let begin = ContinuousClock.now
    let server = try await BenchPools.start(program: "\(programs)/boskos", folder: folder)
    let start = (ContinuousClock.now - begin) / .seconds(1)
    do {
      let result = try await work(server)
      let memory = server.memory
      try await server.stop()
      return (result, start, memory)
    } catch {
      try? await server.stop()
      throw error
    }
  }

  /// How many small syncs a second the disk does, one after the other.
  private static func syncRate() throws -> Double {
    let path = "/var/tmp/drover-bench-sync-\(getpid())"
    let descriptor = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw DroverError(.failed, "making \(path)") }
    defer {
      close(descriptor)
      unlink(path)
    }
    let page = [UInt8](repeating: 1, count: 4096)
    let begin = ContinuousClock.now
    var count = 0
    while ContinuousClock.now - begin < .seconds(1) {
      guard write(descriptor, page, page.count) == page.count, fdatasync(descriptor) == 0 else {
        throw DroverError(.failed, "syncing \(path)")
      }
      count += 1
    }
    return Double(count) / ((ContinuousClock.now - begin) / .seconds(1))
  }
}

/// A server of pools that is measured.
struct BenchPools {
  let port: Int
  private let process: ChildProcess

  static func start(program: String, folder: String) async throws -> BenchPools {
    let port = 28_470
    let process = try ChildProcess([
      program, "-config=\(folder)/config.yaml", "-data=\(folder)/boskos.db", "-port=\(port)",
      "-health-port=\(port + 1)", "-metrics-port=\(port + 2)", "-log-level=error",
    ])
    let server = BenchPools(port: port, process: process)
    for _ in 0..<60_000 {
      if isListening(port) { return server }
      try await Surroundings.system.sleep(.milliseconds(5))
    }
    try await server.stop()
    throw DroverError(.timeout, "starting \(program): it does not listen on port \(port)")
  }

  func stop() async throws {
    process.signal(SIGTERM)
    _ = try await process.ending()
  }

  /// Bytes of resident memory.
  var memory: Double {
    let fields = (Files.textIfPresent("/proc/\(process.pid)/statm") ?? "").split(separator: " ")
    return (fields.count > 1 ? Double(fields[1]) ?? 0 : 0) * Double(getpagesize())
  }

  private static func isListening(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }
}
