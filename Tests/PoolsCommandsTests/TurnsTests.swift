import Logging
import PoolsClient
import PoolsProtocol
import Surroundings
import Synchronization
import Testing

@testable import Pools
@testable import PoolsCommands

/// Who gets cleaned when: janitors inside the server, with clean-ups that a test lets end.
@Suite struct TurnsTests {
  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  /// Cleans when it is told to, and remembers in which order it was asked.
  private final class Worker: PoolWorker {
    private let isStuck: Bool
    let begun = Mutex([PooledResource]())
    init(isStuck: Bool = false) { self.isStuck = isStuck }

    func perform(_ work: PoolWork) async throws -> PoolWorkResult {
      begun.withLock { $0.append(work.resource) }
      if isStuck { try await Surroundings.system.sleep(.seconds(3600)) }
      return PoolWorkResult(succeeded: true, ending: "done", log: "")
    }
  }

  private func pools(_ entries: [PoolsConfiguration.Entry]) async throws -> PoolKeeper {
    let keeper = try await PoolKeeper(store: nil, surroundings: .system, logger: Self.logger)
    try await keeper.configure(PoolsConfiguration(entries))
    return keeper
  }

  private func janitor(_ keeper: PoolKeeper, _ worker: Worker, size: Int) -> Janitor {
    Janitor(
      LocalPools(keeper, owner: "Janitor", surroundings: .system),
      types: TypeSource { await keeper.configuration },
      settings: .init(poolSize: size, program: ServiceProgram(command: ["clean"])), worker: worker,
      logger: Self.logger)
  }

  @Test("a thousand dirty ones are all cleaned")
  func many() async throws {
    let keeper = try await pools([.init(type: "t", state: "dirty", names: (0..<1000).map { "r\($0)" })])
    await janitor(keeper, Worker(), size: 20).round()
    #expect(try await keeper.metric("t").current == ["free": 1000])
  }

  @Test("when every worker is stuck nothing more is taken, and all is dirty again when the janitor ends")
  func stuck() async throws {
    let keeper = try await pools([.init(type: "t", state: "dirty", names: (0..<50).map { "r\($0)" })])
    let worker = Worker(isStuck: true)
    let janitor = janitor(keeper, worker, size: 5)
    let running = Task { await janitor.run() }
    while worker.begun.withLock({ $0.count }) < 5 { await Task.yield() }
    #expect(try await keeper.metric("t").current == ["cleaning": 5, "dirty": 45])
    running.cancel()
    await running.value
    #expect(try await keeper.metric("t").current == ["dirty": 50])
    #expect(worker.begun.withLock { $0.count } == 5)
  }

  @Test("types take turns, so that a type with many dirty ones does not keep a type with few waiting")
  func fair() async throws {
    let keeper = try await pools([
      .init(type: "many", state: "dirty", names: (0..<100).map { "m\($0)" }),
      .init(type: "few", state: "dirty", names: (0..<3).map { "f\($0)" }),
    ])
    let worker = Worker()
    await janitor(keeper, worker, size: 1).round()
    #expect(worker.begun.withLock { $0.prefix(6).map(\.type) } == ["few", "many", "few", "many", "few", "many"])
    #expect(worker.begun.withLock { $0.count } == 103)
  }

  @Test("types without a janitor are left alone when there is none for all")
  func onlyConfigured() async throws {
    var policy = TypePolicy()
    policy.janitor = ServiceProgram(command: ["clean"])
    let keeper = try await pools([
      .init(type: "t", state: "dirty", names: ["a"], policy: policy), .init(type: "u", state: "dirty", names: ["b"]),
    ])
    await Janitor(
      LocalPools(keeper, owner: "Janitor", surroundings: .system), types: TypeSource { await keeper.configuration },
      settings: .init(), worker: Worker(), logger: Self.logger
    ).round()
    #expect(await keeper.resource("a")?.state == "free")
    #expect(await keeper.resource("b")?.state == "dirty")
  }

  @Test("a clean-up whose lease is lost is ended, and does not hand back what others hold")
  func lost() async throws {
    var policy = TypePolicy()
    policy.janitor = ServiceProgram(command: ["clean"], heartbeat: .milliseconds(5))
    let keeper = try await pools([.init(type: "t", state: "dirty", names: ["a"], policy: policy)])
    let worker = Worker(isStuck: true)
    let janitor = janitor(keeper, worker, size: 1)
    async let round: Void = janitor.round()
    while worker.begun.withLock({ $0.isEmpty }) { await Task.yield() }
    _ = try await keeper.reset(type: "t", state: "cleaning", expiry: .seconds(-1), destination: "free")
    _ = try await keeper.acquire(names: ["a"], state: "free", destination: "busy", owner: "ann")
    await round
    #expect(await keeper.resource("a")?.owner == "ann")
  }

  @Test("the cleaner leaves a lease that is no longer its own alone, and frees the others")
  func cleanerLeaves() async throws {
    let keeper = try await pools([
      .init(type: "account", names: ["a", "b"]), .init(type: "cluster", minimum: 1, maximum: 1),
    ])
    let cluster = try #require(
      await keeper.resources(type: "cluster", state: nil, owner: nil, limit: 1).first?.name)
    let ann = LocalPools(keeper, owner: "ann", surroundings: .system)
    let held = try await ann.acquire(names: ["b", cluster], type: nil, from: "free", to: "busy")
    for one in held where one.name == cluster {
      try await ann.update(one, userData: [LeasedResources.key: LeasedResources.text(["a", "b"])])
    }
    try await ann.release("b", type: nil, to: cluster)
    try await ann.release(cluster, type: nil, to: "toBeDeleted")
    let cleaner = Cleaner(
      LocalPools(keeper, owner: "cleaner", surroundings: .system),
      types: TypeSource(onlyDynamic: true) { await keeper.configuration }, logger: Self.logger)
    await cleaner.pass()
    #expect(await keeper.resource("a")?.state == "free")
    #expect(await keeper.resource("b")?.state == "dirty")
    #expect(await keeper.resource(cluster) == nil)
  }

  @Test("the mason hands back what a resource was built from before, and begins anew; it ends when it is told to")
  func masonAgain() async throws {
    var policy = TypePolicy()
    policy.mason = ServiceProgram(command: ["build"])
    let keeper = try await pools([
      .init(type: "account", names: ["a", "b"]),
      .init(type: "cluster", state: "dirty", minimum: 1, maximum: 1, needs: ["account": 1], policy: policy),
    ])
    let cluster = try #require(
      await keeper.resources(type: "cluster", state: nil, owner: nil, limit: 1).first?.name)
    let mason = Mason(
      LocalPools(keeper, owner: "mason", surroundings: .system), types: TypeSource { await keeper.configuration },
      settings: .init(pause: .milliseconds(1)), worker: Worker(), logger: Self.logger)
    await mason.pass()
    #expect(LeasedResources.names(try #require(await keeper.resource(cluster)).userData) == ["a"])
    #expect(await keeper.resource("a")?.state == cluster)
    let ann = LocalPools(keeper, owner: "ann", surroundings: .system)
    _ = try await ann.acquire(type: "cluster", from: "free", to: "busy")
    try await ann.release(cluster, type: nil, to: "dirty")
    let running = Task { await mason.run() }
    while await keeper.resource(cluster)?.state != "free" { await Task.yield() }
    running.cancel()
    await running.value
    #expect(LeasedResources.names(try #require(await keeper.resource(cluster)).userData) == ["b"])
    #expect(await keeper.resource("a")?.state == "dirty")
    #expect(await keeper.resource("b")?.state == cluster)
  }

  @Test("a resource whose needs cannot be had is handed back to be tried again later")
  func masonWithoutParts() async throws {
    var policy = TypePolicy()
    policy.mason = ServiceProgram(command: ["build"])
    let keeper = try await pools([
      .init(type: "account", names: ["a"]),
      .init(type: "cluster", state: "dirty", minimum: 1, maximum: 1, needs: ["account": 2], policy: policy),
    ])
    let worker = Worker()
    let mason = Mason(
      LocalPools(keeper, owner: "mason", surroundings: .system), types: TypeSource { await keeper.configuration },
      settings: .init(patience: .milliseconds(10)), worker: worker, logger: Self.logger)
    await mason.pass()
    #expect(worker.begun.withLock { $0.isEmpty })
    #expect(try await keeper.metric("cluster").current == ["dirty": 1])
    #expect(try await keeper.metric("account").current == ["dirty": 1])
    #expect(await keeper.waiting == 0)
  }

  @Test("a built resource is leased with its parts and handed back with them, or not leased at all")
  func built() async throws {
    let keeper = try await pools([
      .init(type: "account", names: ["a", "b"]), .init(type: "cluster", names: ["c"]),
    ])
    let mason = LocalPools(keeper, owner: "mason", surroundings: .system)
    let user = LocalPools(keeper, owner: "ann", surroundings: .system)
    #expect(try await user.acquireBuilt(type: "cluster", from: "free", to: "busy").parts.isEmpty)
    try await user.release("c", type: nil, to: "free")
    for one in try await mason.acquire(names: ["a", "b", "c"], type: nil, from: "free", to: "leased") {
      if one.name == "c" {
        try await mason.update(one, userData: [LeasedResources.key: LeasedResources.text(["a", "b"])])
      }
      try await mason.release(one, to: one.name == "c" ? "free" : "c")
    }
    let lease = try await user.acquireBuiltWaiting(type: "cluster", from: "free", to: "busy")
    #expect(
      lease.all.map(\.name) == ["c", "a", "b"] && lease.all.allSatisfy { $0.owner == "ann" && $0.state == "busy" })
    try await user.update(lease, userData: ["k": "v"])
    #expect(await keeper.resource("c")?.userData["k"] == "v")
    try await user.release(lease, to: "free")
    // Its parts no longer have its name as state.
    await #expect(throws: PoolsClientError.notFound) {
      try await user.acquireBuilt(type: "cluster", from: "free", to: "busy")
    }
    #expect(await keeper.resource("c")?.state == "dirty")
    #expect(await keeper.resource("a")?.state == "free")
  }

  @Test("inside the server a lease that waits gets the next free resource, and a wait can end without one")
  func waiting() async throws {
    let keeper = try await pools([.init(type: "t", names: ["a"])])
    let (ann, bob) = (
      LocalPools(keeper, owner: "ann", surroundings: .system), LocalPools(keeper, owner: "bob", surroundings: .system)
    )
    let lease = try await ann.acquireWaiting(type: "t", from: "free", to: "busy", requestID: nil, timeout: nil)
    await #expect(throws: PoolsClientError.notFound) {
      try await bob.acquireWaiting(type: "t", from: "free", to: "busy", requestID: nil, timeout: .milliseconds(10))
    }
    async let second = bob.withLease(type: "t") { "\($0.name) \($0.owner)" }
    while await keeper.waiting < 1 { await Task.yield() }
    try await ann.release(lease, to: "free")
    #expect(try await second == "a bob")
    #expect(await keeper.resource("a")?.state == "dirty")
  }

  @Test("the cleaner takes down what is to be deleted, and nothing that is held, in another state, or not of its types")
  func cleanerIgnores() async throws {
    let keeper = try await pools([
      .init(type: "fixed", state: "toBeDeleted", names: ["a"]), .init(type: "fixed", names: ["b"]),
      .init(type: "cluster", minimum: 3, maximum: 3),
    ])
    let names = await keeper.resources(type: "cluster", state: nil, owner: nil, limit: 3).map(\.name)
    let ann = LocalPools(keeper, owner: "ann", surroundings: .system)
    for one in try await ann.acquire(names: [names[0], names[1]], type: nil, from: "free", to: "busy") {
      try await ann.release(one, to: "toBeDeleted")
    }
    _ = try await ann.acquire(names: [names[1]], type: nil, from: "toBeDeleted", to: "toBeDeleted")
    let cleaner = Cleaner(
      LocalPools(keeper, owner: "cleaner", surroundings: .system),
      types: TypeSource(onlyDynamic: true) { await keeper.configuration }, logger: Self.logger)
    await cleaner.pass()
    #expect(await keeper.resource(names[0]) == nil)
    #expect(await keeper.resource(names[1])?.owner == "ann")
    #expect(await keeper.resource(names[2])?.state == "free")
    #expect(try await keeper.metric("fixed").current == ["free": 1, "toBeDeleted": 1])
  }

  @Test("a build that takes too long has failed, and all is dirty")
  func masonTimeout() async throws {
    var policy = TypePolicy()
    policy.mason = ServiceProgram(command: ["/bin/sleep", "600"], timeout: .milliseconds(30))
    let keeper = try await pools([
      .init(type: "account", names: ["a", "b"]),
      .init(type: "cluster", state: "dirty", minimum: 1, maximum: 1, needs: ["account": 1], policy: policy),
    ])
    await Mason(
      LocalPools(keeper, owner: "mason", surroundings: .system), types: TypeSource { await keeper.configuration },
      settings: .init(), logger: Self.logger
    ).pass()
    #expect(try await keeper.metric("cluster").current == ["dirty": 1])
    #expect(try await keeper.metric("account").current == ["dirty": 1, "free": 1])
  }
}
