import Formats

/// The agent alone, and a Go agent beside it where one is at hand.
enum AgentFigures {
  private struct Measured {
    var firstPong: Timing
    var sequential: Double
    var pipelined: Double
    var resident: Double
  }

  /// - Parameter goAgent: the path of a Go agent, to be measured in the same way in the same run.
  static func measure(programs folder: String, goAgent: String?) async throws -> [Figure] {
    let peer = try await goAgent.asyncMap { try await measure($0) }
    let ours = try await measure("\(folder)/drover-agent")
    func note(_ own: String, _ other: String?) -> String { other.map { "\(own); Go agent \($0)" } ?? own }
    return [
      Figure(
        name: "drover-agent alone, resident", value: ours.resident, unit: "MB", bound: .atMost(17),
        note: note("12 s after \(pings) pings", peer.map { Figure.text($0.resident) })),
      Figure(
        name: "agent's start to first pong", value: ours.firstPong.median * 1000, unit: "ms", bound: .atMost(100),
        note: note(ours.firstPong.spread(1000), peer.map { Figure.text($0.firstPong.median * 1000) })),
      Figure(
        name: "pings one after another, over TLS", value: ours.sequential, unit: "/s",
        bound: peer.map { .atLeast($0.sequential) } ?? .none,
        note: note("\(pings) pings", peer.map { Figure.text($0.sequential) })),
      Figure(
        name: "pings, 64 on their way", value: ours.pipelined, unit: "/s",
        bound: peer.map { .atLeast($0.pipelined) } ?? .none,
        note: note("\(pings) pings", peer.map { Figure.text($0.pipelined) })),
    ]
  }

  private static let pings = 4000

  private static func measure(_ program: String) async throws -> Measured {
    try await BenchAgent.with(program: program) { agent in
      var starts: [Double] = []
      for _ in 0..<6 {
        starts.append(
          try await agent.running { _ in try await Timing.once { try await agent.waitForPong() } })
      }
      return try await agent.running { pid in
        try await agent.waitForPong()
        let sequential = try await Timing.once { for _ in 0..<pings { try await answered(agent) } }
        let pipelined = try await Timing.once {
          try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<64 { group.addTask { for _ in 0..<(pings / 64) { try await answered(agent) } } }
            try await group.waitForAll()
          }
        }
        // Idle for so long, an agent has given back what only work needed.
        try await Task.sleep(for: .seconds(12))
        return Measured(
          firstPong: Timing(seconds: Array(starts.dropFirst())), sequential: Double(pings) / sequential,
          pipelined: Double(pings / 64 * 64) / pipelined, resident: try MemoryFigures.resident(pid))
      }
    }
  }

  private static func answered(_ agent: BenchAgent) async throws {
    guard try await agent.ping() else { throw DroverError(.timeout, "a ping was not answered within 5 s") }
  }
}

extension Optional {
  fileprivate func asyncMap<Result>(_ transform: (Wrapped) async throws -> Result) async rethrows -> Result? {
    guard let self else { return nil }
    return try await transform(self)
  }
}
