import Documents
import Logging
import PoolsProtocol
import Surroundings
import TestSupport
import Testing

@testable import Pools

/// The keeper of the pools against a simple model of them, with all that changes pools by itself: life cycles, new
/// configurations, restarts.
@Suite struct LivingPoolsTests {
  private static let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private static let configurations: [PoolsConfiguration] = [
    .init([
      .init(type: "car", names: ["c0", "c1", "c2"]), .init(type: "bike", state: "dirty", names: ["b0", "b1"]),
      .init(type: "dyn", minimum: 1, maximum: 3, lifespan: .seconds(60)),
    ]),
    // A name has another type, a life cycle has other numbers, another one is new.
    .init([
      .init(type: "car", names: ["c0", "c1", "b0"]), .init(type: "dyn", minimum: 0, maximum: 1),
      .init(type: "short", state: "dirty", minimum: 2, maximum: 4, lifespan: .seconds(20)),
    ]),
    // What was static is dynamic, what was dynamic is static, and of one type there are both.
    .init([
      .init(type: "bike", names: ["b0", "d0"]), .init(type: "car", minimum: 2, maximum: 4, lifespan: .seconds(40)),
      .init(type: "bike", minimum: 1, maximum: 2),
    ]),
    .init([.init(type: "car", names: ["c0"])]),
  ]

  @Test("random operations, configurations, times and restarts have the outcomes of a simple model", arguments: 1...16)
  func likeTheModel(seed: UInt64) async throws {
    var run = try await Run(seed: seed)
    for _ in 0..<400 {
      try await run.step()
      try await run.compare()
    }
    #expect(run.leases > 20 && run.restarts > 2)
  }

  /// A keeper and a model that live through the same.
  private struct Run {
    typealias Outcome = Result<[PooledResource], PoolFault>

    let store = MemoryDocumentStore()
    let clock = Clock()
    let surroundings: Surroundings
    var keeper: PoolKeeper
    var model = LivingPools()
    var configuration = LivingPoolsTests.configurations[0]
    var random: SeededRandom
    var log: [String] = []
    var leases = 0
    var restarts = 0

    init(seed: UInt64) async throws {
      random = SeededRandom(seed: seed)
      var surroundings = Surroundings.system
      let (clock, counter) = (clock, Counter())
      surroundings.now = { clock.now }
      surroundings.identifier = { counter.next() }
      self.surroundings = surroundings
      keeper = try await PoolKeeper(store: store, surroundings: surroundings, logger: LivingPoolsTests.logger)
      try await configure()
    }

    private mutating func one<Element>(_ values: [Element]) -> Element {
      values[Int.random(in: 0..<values.count, using: &random)]
    }
    private mutating func chance(_ part: Int, of whole: Int) -> Bool {
      Int.random(in: 0..<whole, using: &random) < part
    }

    private mutating func configure() async throws {
      try await keeper.configure(configuration)
      model.configure(configuration, clock.now)
      try await settle()
    }

    /// What is due is done, and what was made has its names.
    private mutating func settle() async throws {
      try await name()
      await keeper.tick(clearing: false)
      model.tick(clock.now)
      try await name()
    }

    private mutating func name() async throws {
      for found in await keeper.resources(type: nil, state: nil, owner: nil, limit: 1000) {
        guard model.index(found.name) == nil, let place = model.unnamed.firstIndex(where: { $0.type == found.type })
        else { continue }
        var made = model.unnamed.remove(at: place)
        made.name = found.name
        model.resources.append(.init(resource: made))
      }
      #expect(model.unnamed == [], "\(log.suffix(5))")
      model.unnamed = []
    }

    mutating func step() async throws {
      clock.advance(.milliseconds(Int.random(in: 1...(chance(1, of: 2) ? 10 : 9000), using: &random)))
      try await settle()
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<45: try await acquire()
      case 45..<75: try await release()
      case 75..<82: try await update()
      case 82..<87: try await acquireByState()
      case 87..<91: try await reset()
      case 91..<93:
        await keeper.tick(clearing: true)
        model.clearQueues(clock.now)
      case 93..<97:
        configuration = one(LivingPoolsTests.configurations)
        log.append("configure \(configuration.types)")
        try await configure()
      default: try await restart()
      }
      try await settle()
    }

    private mutating func restart() async throws {
      restarts += 1
      await keeper.noteAlive(always: true)
      let away = Duration.seconds(Int.random(in: 0...100, using: &random))
      clock.advance(away)
      log.append("restart after \(away)")
      keeper = try await PoolKeeper(store: store, surroundings: surroundings, logger: LivingPoolsTests.logger)
      model.restart(away: away, clock.now)
      if chance(1, of: 3) { configuration = one(LivingPoolsTests.configurations) }
      try await configure()
    }

    private let states = ["free", "free", "free", "dirty", "dirty", "busy", "toBeDeleted", "tombstone"]
    private let owners = ["ann", "bob", "eve"]

    private mutating func acquire() async throws {
      let id = chance(2, of: 3) ? "r\(Int.random(in: 0..<6, using: &random))" : nil
      // Mostly something that is there.
      let there = model.resources.map(\.resource).filter { $0.owner == "" }
      let wanted = there.isEmpty || chance(1, of: 3) ? nil : one(there)
      let request = AcquireRequest(
        type: wanted?.type ?? one(["car", "bike", "dyn", "short", "dyn", "boat"]), state: wanted?.state ?? one(states),
        destination: chance(1, of: 5) ? one(states) : "busy", owner: one(owners), requestID: id,
        isIdempotent: chance(1, of: 2))
      log.append("\(request)")
      let ours = await outcome { [keeper] () async throws(PoolFault) in [try await keeper.acquire(request).resource] }
      let chosen = (try? ours.get())?.first?.name
      do {
        let theirs = try model.acquire(request, clock.now) { _ in chosen }
        check(ours, .success([theirs]))
        leases += 1
      } catch {
        check(ours, .failure(error))
      }
    }

    /// Somebody, and a resource, mostly one that he holds.
    private mutating func holder() -> (name: String, owner: String, state: String) {
      let held = model.resources.map(\.resource).filter { $0.owner != "" }
      guard !held.isEmpty, chance(9, of: 10) else {
        return (one(model.resources.map(\.resource.name) + ["nobody"]), one(owners), one(states))
      }
      let lease = one(held)
      return (lease.name, lease.owner, chance(9, of: 10) ? lease.state : one(states))
    }

    private mutating func release() async throws {
      let (name, owner, _) = holder()
      let destination = one(states)
      log.append("release \(name) \(owner) \(destination)")
      let ours = await outcome { [keeper] () async throws(PoolFault) in
        try await keeper.release(name, destination: destination, owner: owner)
        return []
      }
      do {
        try model.release(name, destination: destination, owner: owner, clock.now)
        check(ours, .success([]))
      } catch {
        check(ours, .failure(error))
      }
    }

    private mutating func update() async throws {
      let (name, owner, state) = holder()
      let data = [one(["a", "b"]): one(["", "1", "2"])]
      let next = chance(1, of: 4) ? one(states) : nil
      log.append("update \(name) \(owner) \(state) \(next ?? "")")
      let ours = await outcome { [keeper] () async throws(PoolFault) in
        try await keeper.update(name, owner: owner, state: state, destination: next, userData: data)
        return []
      }
      do {
        try model.update(name, owner: owner, state: state, destination: next, userData: data, clock.now)
        check(ours, .success([]))
      } catch {
        check(ours, .failure(error))
      }
    }

    /// Never two dynamic ones: which of two of one age is taken back first is nobody's promise.
    private mutating func acquireByState() async throws {
      let state = one(states)
      let isWrong = chance(1, of: 10)
      let fitting = model.resources.filter { $0.resource.state == state || isWrong }
      var names = Set(fitting.filter(\.isStatic).map(\.resource.name).prefix(2))
      if let dynamic = fitting.first(where: { !$0.isStatic }) { names.insert(dynamic.resource.name) }
      if chance(1, of: 10) || names.isEmpty { names.insert("nobody") }
      let (destination, owner) = (one(states), one(owners))
      log.append("acquire \(names.sorted()) \(state) \(destination) \(owner)")
      let wanted = names
      let ours = await outcome { [keeper] () async throws(PoolFault) in
        try await keeper.acquire(names: wanted, state: state, destination: destination, owner: owner)
      }
      do {
        let theirs = try model.acquire(
          names: names, state: state, destination: destination, owner: owner, clock.now)
        check(ours, .success(theirs))
      } catch {
        check(ours, .failure(error))
      }
    }

    private mutating func reset() async throws {
      let (type, state, destination) = (one(["car", "bike", "dyn", "short"]), one(states), one(states))
      let expiry = Duration.seconds(Int.random(in: 0...40, using: &random))
      log.append("reset \(type) \(state) \(expiry) \(destination)")
      let lost = try await keeper.reset(type: type, state: state, expiry: expiry, destination: destination)
      let theirs = model.reset(type: type, state: state, expiry: expiry, destination: destination, clock.now)
      #expect(lost == theirs, "\(log.suffix(5))")
    }

    private func outcome(_ body: () async throws(PoolFault) -> [PooledResource]) async -> Outcome {
      do { return .success(try await body()) } catch { return .failure(error) }
    }

    private func check(_ ours: Outcome, _ theirs: Outcome) { #expect(ours == theirs, "\(log.suffix(5))") }

    mutating func compare() async throws {
      let ours = await keeper.resources(type: nil, state: nil, owner: nil, limit: 1000)
      let theirs = model.resources.map(\.resource).sorted { $0.name < $1.name }
      try #require(ours == theirs, "\(log.suffix(8).joined(separator: "\n"))")
      #expect(await keeper.engine.lifeCycles == model.cycles)
      for type in Set(theirs.map(\.type)) {
        let current = Dictionary(grouping: theirs.filter { $0.type == type }, by: \.state).mapValues(\.count)
        #expect(try await keeper.metric(type).current == current)
      }
      let queues = await keeper.engine.queues.mapValues { $0.all.map(\.id) }
      #expect(queues == model.queues.mapValues { $0.map(\.id) }.filter { !$0.value.isEmpty })
    }
  }
}
