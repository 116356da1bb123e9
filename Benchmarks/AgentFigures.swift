import Formats
import Glibc

/// The agent alone, and a Go agent beside it where one is at hand: in turns, since other work on the machine comes and
/// goes.
enum AgentFigures {
  private struct Measured {
    var firstPong: [Double] = []
    var sequential: [Rate] = []
    var pipelined: [Rate] = []
    var resident = 0.0
  }

  private struct Rate {
    /// Per second.
    var answers: Double
    /// Of the agent alone, for one answer, in microseconds.
    var processor: Double
  }

  private static let rounds = 5
  private static let pings = 4096

  /// - Parameter goAgent: the path of a Go agent, to be measured in the same way in the same run.
  static func measure(programs folder: String, goAgent: String?) async throws -> [Figure] {
    let program = "\(folder)/drover-agent"
    guard let goAgent else {
      return figures(
        try await BenchAgent.with(program: program, name: "agent") { try await measure([$0]) }.first ?? Measured(), nil)
    }
    let all = try await BenchAgent.with(program: program, name: "agent") { ours in
      try await BenchAgent.with(program: goAgent, name: "peer") { peer in try await measure([ours, peer]) }
    }
    return figures(all[0], all[1])
  }

  private static func figures(_ ours: Measured, _ peer: Measured?) -> [Figure] {
    let firstPong = Timing(seconds: ours.firstPong)
    func note(_ own: String, _ other: (Measured) -> Double) -> String {
      peer.map { "\(own); Go agent \(Figure.text(other($0)))" } ?? own
    }
    var figures = [
      Figure(
        name: "drover-agent alone, resident", value: ours.resident, unit: "MB", bound: .atMost(17),
        note: note("12 s after \(rounds * 2 * pings) pings") { $0.resident }),
      Figure(
        name: "agent's start to first pong", value: firstPong.median * 1000, unit: "ms", bound: .atMost(100),
        note: note(firstPong.spread(1000)) { Timing(seconds: $0.firstPong).median * 1000 }),
    ]
    for (name, rates) in [
      ("pings one after another, over TLS", \Measured.sequential), ("pings, 64 on their way", \Measured.pipelined),
    ] {
      let own = Timing(seconds: ours[keyPath: rates].map(\.answers))
      figures.append(
        Figure(
          name: name, value: own.median, unit: "/s",
          bound: peer.map { .atLeast(Timing(seconds: $0[keyPath: rates].map(\.answers)).median) } ?? .none,
          note: note("\(rounds) times \(pings), \(own.spread(1))") {
            Timing(seconds: $0[keyPath: rates].map(\.answers)).median
          }))
      let processor = Timing(seconds: ours[keyPath: rates].map(\.processor)).median
      figures.append(
        Figure(
          name: "  the agent's CPU time for each", value: processor, unit: "µs",
          bound: peer.map { .atMost(Timing(seconds: $0[keyPath: rates].map(\.processor)).median) } ?? .none,
          note: note("") { Timing(seconds: $0[keyPath: rates].map(\.processor)).median }))
    }
    return figures
  }

  private static func measure(_ agents: [BenchAgent]) async throws -> [Measured] {
    var measured = agents.map { _ in Measured() }
    for start in 0...rounds {
      for (index, agent) in agents.enumerated() {
        let seconds = try await agent.running { _ in try await Timing.once { try await agent.waitForPong() } }
        // The first one finds its files on the disk.
        if start > 0 { measured[index].firstPong.append(seconds) }
      }
    }
    return try await running(agents[...]) { pids in
      for agent in agents { try await agent.waitForPong() }
      for _ in 0..<rounds {
        for (index, agent) in agents.enumerated() {
          measured[index].sequential.append(
            try await rate(pids[index]) { for _ in 0..<pings { try await answered(agent) } })
        }
        for (index, agent) in agents.enumerated() {
          measured[index].pipelined.append(
            try await rate(pids[index]) {
              try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<64 { group.addTask { for _ in 0..<(pings / 64) { try await answered(agent) } } }
                try await group.waitForAll()
              }
            })
        }
      }
      // Idle for so long, an agent has given back what only work needed.
      try await Task.sleep(for: .seconds(12))
      for (index, pid) in pids.enumerated() { measured[index].resident = try MemoryFigures.resident(pid) }
      return measured
    }
  }

  /// Starts them all, and kills them all after the body.
  private static func running<Result>(
    _ agents: ArraySlice<BenchAgent>, _ pids: [Int] = [], _ body: ([Int]) async throws -> Result
  ) async throws -> Result {
    guard let first = agents.first else { return try await body(pids) }
    return try await first.running { try await running(agents.dropFirst(), pids + [$0], body) }
  }

  private static func rate(_ pid: Int, _ body: () async throws -> Void) async throws -> Rate {
    let before = try processorTime(pid)
    let seconds = try await Timing.once(body)
    return Rate(
      answers: Double(pings) / seconds, processor: (try processorTime(pid) - before) / Double(pings) * 1e6)
  }

  /// What a process has used so far, all threads together, in seconds.
  private static func processorTime(_ pid: Int) throws -> Double {
    var clock = clockid_t()
    var time = timespec()
    guard clock_getcpuclockid(pid_t(pid), &clock) == 0, clock_gettime(clock, &time) == 0 else {
      throw DroverError(.failed, "reading the processor time of process \(pid)")
    }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private static func answered(_ agent: BenchAgent) async throws {
    guard try await agent.ping() else { throw DroverError(.timeout, "a ping was not answered within 5 s") }
  }
}
