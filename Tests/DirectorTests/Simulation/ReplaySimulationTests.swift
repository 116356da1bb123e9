import Formats
import Surroundings
import Testing

@testable import Director

/// A simulation is a function of its seed, so that a failing one can be run again (design D15).
@Suite struct ReplaySimulationTests {
  private struct Trace: Equatable {
    var end: Duration
    var crashes: Int
    var deeds: [AgentBehaviour.Deed]
    var events: [String]
    var debug: [String]
  }

  private func trace(seed: UInt64) async throws -> Trace {
    var trace: Trace?
    try await SimulatedWorld.run(seed: seed) { world in
      let tasks = try await world.survive(crashes: 5, deeds: 200) {
        [try await $0.deploy(DeployOrder(manifest: SimulatedRelease.manifest()), user: "admin")]
      }
      let id = try #require(tasks.first).id
      trace = Trace(
        end: world.clock.now, crashes: world.crashCount, deeds: world.behaviour.deeds,
        events: try await world.lines(id, .event), debug: try await world.lines(id, .debug))
    }
    return try #require(trace)
  }

  @Test("Two runs with one seed do the same things at the same times; another seed does others")
  func replay() async throws {
    let first = try await trace(seed: 77)
    let second = try await trace(seed: 77)
    #expect(first.end == second.end)
    #expect(first.crashes == second.crashes)
    #expect(first.deeds == second.deeds)
    #expect(first.events == second.events)
    #expect(first.debug == second.debug)
    #expect(first.deeds.count > 10)
    #expect(first.end > .milliseconds(100))
    #expect(try await trace(seed: 78) != first)
  }
}
