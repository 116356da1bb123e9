import Documents
import Logging
import PoolsProtocol
import Surroundings
import Testing

@testable import Pools

/// Names that are unique per type only.
@Suite struct NamesPerTypeTests {
  private static let two = configuration(["t": ["a", "b"], "u": ["a"]], perType: true)

  private static func configuration(_ names: [String: [String]], perType: Bool) -> PoolsConfiguration {
    var configuration = PoolsConfiguration(
      names.sorted { $0.key < $1.key }.map { .init(type: $0.key, names: $0.value) })
    configuration.namesAreUniquePerType = perType
    return configuration
  }

  private func keeper(
    _ configuration: PoolsConfiguration = two, store: (any DocumentStore)? = nil
  ) async throws -> PoolKeeper {
    let keeper = try await PoolKeeper(store: store, surroundings: .system, logger: Logger(label: "test"))
    try await keeper.configure(configuration)
    return keeper
  }

  private func shown(_ keeper: PoolKeeper) async -> [String] {
    await keeper.resources(type: nil, state: nil, owner: nil, limit: 100).map {
      "\($0.name) \($0.type) \($0.state) \($0.owner)"
    }
  }

  @Test("a call that names a resource of two types needs the type, unless only one can be meant")
  func calls() async throws {
    let keeper = try await keeper()
    let ambiguous = PoolFault.ambiguous("a", types: ["t", "u"])
    await #expect(throws: ambiguous) {
      try await keeper.acquire(names: ["a"], state: "free", destination: "busy", owner: "ann")
    }
    #expect(ambiguous.status == 400)
    let leased = try await keeper.acquire(names: ["a"], type: "u", state: "free", destination: "busy", owner: "ann")
    #expect(leased.map(\.type) == ["u"])
    // Only one is free, and only one is ann's.
    #expect(
      try await keeper.acquire(names: ["a", "b"], state: "free", destination: "busy", owner: "bob").map(\.type)
        == ["t", "t"])
    try await keeper.update("a", owner: "ann", state: "busy", userData: ["k": "v"])
    await #expect(throws: ambiguous) { try await keeper.release("a", destination: "free", owner: "eve") }
    await #expect(throws: PoolFault.ownerDiffers(requested: "eve", current: "bob")) {
      try await keeper.release("a", type: "t", destination: "free", owner: "eve")
    }
    await #expect(throws: PoolFault.nothingAvailable("a")) {
      try await keeper.update("a", type: "x", owner: "ann", state: "busy", userData: nil)
    }
    await #expect(throws: ambiguous) { try await keeper.description("a", type: nil) }
    try await keeper.release("a", destination: "dirty", owner: "ann")
    #expect(await shown(keeper) == ["a t busy bob", "a u dirty ", "b t busy bob"])
    #expect(await keeper.resource("a", type: "u")?.userData == ["k": "v"])
  }

  @Test("listings go on after a name and a type")
  func listing() async throws {
    let keeper = try await keeper()
    let rest = await keeper.resources(type: nil, state: nil, owner: nil, after: ("a", "t"), limit: 1)
    #expect(rest.map(\.type) == ["u"])
    #expect(await keeper.resources(type: nil, state: nil, owner: nil, after: ("a", ""), limit: 9).map(\.name) == ["b"])
  }

  @Test("both are there after a restart, and the configuration may go from one way to the other and back")
  func restart() async throws {
    let store = MemoryDocumentStore()
    // The names that were there keep what is known of them.
    let first = try await keeper(Self.configuration(["t": ["a"]], perType: false), store: store)
    _ = try await first.acquire(names: ["a"], state: "free", destination: "busy", owner: "ann")
    let second = try await keeper(store: store)
    #expect(await shown(second) == ["a t busy ann", "a u free ", "b t free "])
    _ = try await second.acquire(names: ["a"], type: "u", state: "free", destination: "busy", owner: "bob")
    let third = try await keeper(store: store)
    #expect(await shown(third) == ["a t busy ann", "a u busy bob", "b t free "])
    // One way again: of two with a name the one that is not wanted stays as long as it is held.
    let fourth = try await keeper(Self.configuration(["t": ["a", "b"]], perType: false), store: store)
    #expect(await shown(fourth) == ["a t busy ann", "a u busy bob", "b t free "])
    try await fourth.release("a", destination: "free", owner: "bob")
    #expect(await shown(fourth) == ["a t busy ann", "b t free "])
    let fifth = try await keeper(Self.configuration(["t": ["a", "b"]], perType: false), store: store)
    #expect(await shown(fifth) == ["a t busy ann", "b t free "])
  }
}
