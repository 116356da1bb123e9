import Formats
import Manifests
import Synchronization
import TestSupport
import Testing

@testable import Director

@Suite("RecentResolutions") struct RecentResolutionsTests {
  private typealias Fixtures = PlanningFixtures

  private final class Count: Sendable {
    private let value = Mutex(0)
    var now: Int { value.withLock { $0 } }
    func add() { value.withLock { $0 += 1 } }
  }

  /// One that counts what it resolves.
  private func counting() -> (RecentResolutions, Count) {
    let count = Count()
    let resolutions = RecentResolutions {
      count.add()
      return try $0.resolve()
    }
    return (resolutions, count)
  }

  /// Where all wanted instances are there.
  private func deployed() throws -> DeploymentInputs {
    let first = try Fixtures.inputs().resolve()
    return try Fixtures.inputs(instances: Fixtures.deployed(first), addresses: first.reservations)
  }

  @Test("What has not changed is resolved once; instances that are not there yet are new ones each time")
  func unchanged() throws {
    let (resolutions, count) = counting()
    let inputs = try deployed()
    #expect(try resolutions.resolve(inputs) == inputs.resolve())
    #expect(try resolutions.resolve(try deployed()) == inputs.resolve())
    #expect(count.now == 1)
    let empty = try Fixtures.inputs()
    let (one, two) = (try resolutions.resolve(empty), try resolutions.resolve(empty))
    #expect(one != two)
    #expect(Set(one.instances.map(\.id)).isDisjoint(with: two.instances.map(\.id)))
    #expect(count.now == 3)
  }

  @Test("Whatever changes, and in whatever order, it is what it would be anew")
  func changes() throws {
    let (resolutions, count) = counting()
    let first = try deployed()
    var worlds = [first]
    func add(_ change: (inout DeploymentInputs) throws -> Void) throws {
      var world = first
      try change(&world)
      worlds.append(world)
    }
    try add { $0.directorName = "other" }
    try add { $0.domain = "internal" }
    try add { $0.stemcells[0].cid = "sc-2" }
    try add { $0.releases[0].uncommittedChanges.toggle() }
    try add { $0.instances[0].updateCompleted.toggle() }
    try add { $0.instances[1].vm = nil }
    try add { $0.addresses.removeLast() }
    try add { $0.options = DeployOptions(canaries: "3") }
    try add { $0.teams = ["one"] }
    try add { $0.runtimeConfig = try RuntimeConfig([YAML.parse("tags: {a: b}")]) }
    try add {
      let manifest = Fixtures.changed("name: web\n  instances: 1", "name: web\n  instances: 1\n  env: {a: b}")
      $0.manifest = try DeploymentManifest(YAML.parse(manifest))
    }
    let right = try worlds.map { try $0.resolve() }
    var random = SeededRandom(seed: 3)
    var last = -1
    var expected = 0
    for _ in 0..<200 {
      let index = Int.random(in: 0..<worlds.count, using: &random)
      if index != last { expected += 1 }
      last = index
      #expect(try resolutions.resolve(worlds[index]) == right[index], "world \(index)")
    }
    #expect(count.now == expected)
  }
}
