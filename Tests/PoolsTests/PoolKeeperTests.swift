import Documents
import Logging
import PoolsProtocol
import Sealing
import Surroundings
import Synchronization
import TestSupport
import Testing

@testable import Pools

@Suite struct PoolKeeperTests {
  private func keeper(
    _ store: (any DocumentStore)?, _ surroundings: Surroundings = .system
  ) async throws -> PoolKeeper {
    let keeper = try await PoolKeeper(store: store, surroundings: surroundings, logger: Logger(label: "test"))
    try await keeper.configure(
      PoolsConfiguration([
        .init(type: "t", names: ["a", "b", "c"]), .init(type: "d", minimum: 1, maximum: 2, lifespan: .seconds(60)),
      ]))
    return keeper
  }

  private func request(_ owner: String, state: String = "free", id: String? = nil) -> AcquireRequest {
    AcquireRequest(
      type: "t", state: state, destination: "busy", owner: owner, requestID: id, isIdempotent: id != nil)
  }

  private static func sealed(_ driver: any DocumentStore) throws -> SealedDocumentStore {
    let key = try #require(SealKey(Array(repeating: 3, count: SealKey.size)))
    return SealedDocumentStore(driver, SealKeys(key, source: "keys"))
  }

  @Test("user data and what builders are told are sealed in the store; what is there in clear is read")
  func sealed() async throws {
    let driver = MemoryDocumentStore()
    func configured(_ store: any DocumentStore) async throws -> PoolKeeper {
      let keeper = try await PoolKeeper(store: store, surroundings: .system, logger: Logger(label: "test"))
      try await keeper.configure(
        PoolsConfiguration([
          .init(type: "t", names: ["a", "b"]),
          .init(
            type: "d", minimum: 1, maximum: 2, construction: .init(type: "build", content: "content-secret")),
        ]))
      return keeper
    }
    func texts(_ kind: String) async throws -> String {
      try await driver.list(kind).documents.map { String(decoding: $0.body, as: UTF8.self) }.joined()
    }
    let old = try await configured(driver)
    _ = try await old.acquire(request("ann"))
    try await old.update("a", owner: "ann", state: "busy", userData: ["password": "user-secret"])
    #expect(try await texts("pool-resource").contains("user-secret"))
    let keeper = try await configured(Self.sealed(driver))
    #expect(await keeper.resource("a")?.userData == ["password": "user-secret"])
    try await keeper.update("a", owner: "ann", state: "busy", userData: ["other": "second-secret"])
    #expect(try await !texts("pool-resource").contains("secret"))
    let again = try await configured(Self.sealed(driver))
    #expect(await again.resource("a")?.userData == ["password": "user-secret", "other": "second-secret"])
    let fresh = MemoryDocumentStore()
    _ = try await configured(Self.sealed(fresh))
    let type = try #require(try await fresh.get("pool-type", "d"))
    #expect(!String(decoding: type.body, as: UTF8.self).contains("secret"))
    await #expect(throws: (any Error).self) { try await configured(driver) }
  }

  @Test("leases, user data, queues and life cycles are there after a restart", arguments: [false, true])
  func restart(isSealed: Bool) async throws {
    let driver = MemoryDocumentStore()
    let store: any DocumentStore = isSealed ? try Self.sealed(driver) : driver
    let first = try await keeper(store)
    let lease = try await first.acquire(request("ann", id: "r1")).resource
    try await first.update(lease.name, owner: "ann", state: "busy", userData: ["k<": "v\n", "gone": ""])
    for id in ["w1", "w2"] { _ = try? await first.acquire(request("bob", state: "clean", id: id)) }
    let second = try await keeper(store)
    for name in ["a", "b", "c"] { #expect(await second.resource(name) == first.resource(name)) }
    #expect(await second.resource(lease.name)?.userData == ["k<": "v\n"])
    #expect(await second.metrics() == first.metrics())
    // Two resources for two who wait: the order of those who wait is kept.
    let key = QueueKey(type: "t", state: "clean")
    #expect(await second.engine.queues[key]?.all.map(\.id) == ["w1", "w2"])
    #expect(await second.engine.lifeCycles == first.engine.lifeCycles)
    // And the request that was granted is known, too.
    #expect(try await second.acquire(request("ann", id: "r1")).resource.name == lease.name)
  }

  @Test("when the store fails, everything that was decided is taken back, and the next operation goes on from there")
  func failure() async throws {
    let store = FailingStore()
    let keeper = try await keeper(store)
    let before = await keeper.metrics()
    store.isFailing = true
    await withTaskGroup(of: Bool.self) { group in
      for number in 0..<20 {
        group.addTask {
          do {
            _ = try await keeper.acquire(self.request("o\(number)", id: "r\(number)"))
            return true
          } catch {
            return false
          }
        }
      }
      for await succeeded in group { #expect(!succeeded) }
    }
    #expect(await keeper.metrics() == before)
    #expect(await keeper.waiting == 0)
    store.isFailing = false
    let lease = try await keeper.acquire(request("ann")).resource
    #expect(lease.name == "a")
    #expect(try await self.keeper(store.inner).resource("a") == lease)
  }

  @Test("who gave up while a lease was on its way has none, but may repeat an idempotent request")
  func givesUp() async throws {
    for isIdempotent in [false, true] {
      let keeper = try await keeper(FailingStore())
      var request = request("ann", id: "r1")
      request.isIdempotent = isIdempotent
      let asked = request
      let asking = Task {
        withUnsafeCurrentTask { $0?.cancel() }
        return try await keeper.acquire(asked, wait: .seconds(60)).resource.name
      }
      if isIdempotent {
        #expect(try await asking.value == "a")
        #expect(try await keeper.acquire(asked).resource.name == "a")
      } else {
        await #expect(throws: PoolFault.nothingAvailable("t")) { try await asking.value }
        #expect(try await keeper.metric("t").current == ["free": 3])
      }
    }
  }

  @Test("what changes tens of thousands of resources is one commit")
  func largeCommit() async throws {
    let store = FailingStore()
    let keeper = try await PoolKeeper(store: store, surroundings: .system, logger: Logger(label: "test"))
    let names = (0..<50_001).map { "r\($0)" }
    try await keeper.configure(PoolsConfiguration([.init(type: "t", names: names)]))
    _ = try await keeper.acquire(names: Set(names), state: "free", destination: "busy", owner: "ann")
    let before = store.commits
    let lost = try await keeper.reset(type: "t", state: "busy", expiry: .seconds(-1), destination: "dirty")
    #expect(lost.count == 50_001 && store.commits == before + 1)
  }

  @Test("user data have a bound, over which an update changes nothing")
  func userDataBound() async throws {
    let keeper = try await keeper(nil)
    let lease = try await keeper.acquire(request("ann")).resource
    let half = String(repeating: "x", count: 600_000)
    try await keeper.update(lease.name, owner: "ann", state: "busy", userData: ["k": half])
    let before = await keeper.resource(lease.name)
    let fault = await #expect(throws: PoolFault.self) {
      try await keeper.update(lease.name, owner: "ann", state: "busy", userData: ["l": half, "k2": ""])
    }
    #expect(fault == .tooLarge(lease.name, size: 1_200_002, limit: 1 << 20) && fault?.status == 413)
    #expect(await keeper.resource(lease.name) == before)
    try await keeper.update(lease.name, owner: "ann", state: "busy", userData: ["l": half, "k": ""])
  }

  @Test("work whose record could not be stored counts once when it is reported again")
  func workReportedAgain() async throws {
    let store = FailingStore()
    let keeper = try await keeper(store)
    let lease = try await keeper.acquire(request("ann")).resource
    let failure = PoolWorkRecord(kind: "clean", succeeded: false, ending: "e", duration: .seconds(1), log: "")
    for expected in 1...3 {
      store.isFailing = true
      await #expect(throws: PoolFault.self) {
        try await keeper.record(failure, of: lease.name, type: nil, owner: "ann")
      }
      store.isFailing = false
      #expect(try await keeper.record(failure, of: lease.name, type: nil, owner: "ann") == expected)
    }
  }

  @Test("a request that repeats one whose lease is not stored yet is answered when it is, and fails with it")
  func repeatWaits() async throws {
    for isFailing in [true, false] {
      let store = FailingStore()
      let keeper = try await keeper(store)
      store.isFailing = isFailing
      let stored = try await withThrowingTaskGroup(of: Bool.self) { group in
        for _ in 0..<4 {
          group.addTask {
            guard (try? await keeper.acquire(self.request("ann", id: "r1"))) != nil else { return false }
            return try await store.inner.list("pool-resource").documents.contains { document in
              String(decoding: document.body, as: UTF8.self).contains("ann")
            }
          }
        }
        return try await group.reduce(into: [Bool]()) { $0.append($1) }
      }
      #expect(stored == Array(repeating: !isFailing, count: 4))
      #expect(await keeper.resources(type: "t", state: "busy", owner: "ann", limit: 9).count == (isFailing ? 0 : 1))
    }
  }

  @Test("many new resources are made some at a time, and after a failure the rest is made")
  func many() async throws {
    let store = FailingStore()
    let keeper = try await PoolKeeper(store: store, surroundings: .system, logger: Logger(label: "test"))
    let configuration = PoolsConfiguration([
      .init(type: "t", names: (0..<45_000).map { "r\($0)" }), .init(type: "d", minimum: 1, maximum: 1),
    ])
    store.isFailing = true
    await #expect(throws: PoolFault.self) { try await keeper.configure(configuration) }
    #expect(await keeper.metrics().isEmpty)
    store.isFailing = false
    try await keeper.configure(configuration)
    #expect(await keeper.metrics().map(\.current) == [["free": 1], ["free": 45_000]])
    #expect(store.commits >= 3)
    #expect(try await store.inner.list("pool-resource").documents.count == 45_001)
  }

  @Test("operations that come while a commit is under way share the next one")
  func shared() async throws {
    let store = FailingStore()
    let keeper = try await PoolKeeper(store: store, surroundings: .system, logger: Logger(label: "test"))
    try await keeper.configure(PoolsConfiguration([.init(type: "t", names: (0..<200).map { "r\($0)" })]))
    let before = store.commits
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<200 {
        group.addTask { _ = try await keeper.acquire(self.request("o\(number)")) }
      }
      try await group.waitForAll()
    }
    #expect(store.commits - before < 150)
    let names = Set(await keeper.resources(type: "t", state: "busy", owner: nil, limit: 1000).map(\.owner))
    #expect(names.count == 200)
  }

  @Test("time without a server is known from what was noted last")
  func downtime() async throws {
    let store = MemoryDocumentStore()
    let clock = Clock()
    var surroundings = Surroundings.system
    surroundings.now = { clock.now }
    let first = try await keeper(store, surroundings)
    _ = try await first.acquire(request("ann"))
    clock.advance(.seconds(10))
    await first.noteAlive(always: true)
    clock.advance(.seconds(1000))
    let second = try await keeper(store, surroundings)
    clock.advance(.seconds(10))
    let expiry = Duration.seconds(21)
    #expect(try await second.reset(type: "t", state: "busy", expiry: expiry, destination: "dirty") == [:])
    clock.advance(.seconds(1))
    #expect(try await second.reset(type: "t", state: "busy", expiry: expiry, destination: "dirty") == ["a": "ann"])
  }
}

/// A time that a test sets.
final class Clock: Sendable {
  private let time = Mutex(Timestamp(seconds: 1_000_000))
  var now: Timestamp { time.withLock { $0 } }
  func advance(_ duration: Duration) { time.withLock { $0 = $0 + duration } }
}

/// A store that fails when it is told to.
final class FailingStore: DocumentStore {
  struct Broken: Error {}

  let inner = MemoryDocumentStore()
  private let state = Mutex((failing: false, commits: 0))

  var isFailing: Bool {
    get { state.withLock { $0.failing } }
    set { state.withLock { $0.failing = newValue } }
  }
  var commits: Int { state.withLock { $0.commits } }

  func get(_ kind: String, _ name: String) async throws -> Document? { try await inner.get(kind, name) }
  func list(_ kind: String, prefix: String) async throws -> DocumentListing {
    try await inner.list(kind, prefix: prefix)
  }
  func commit(_ writes: [Write]) async throws -> Int64 {
    // Takes a moment, as a disk does, so that others come meanwhile.
    for _ in 0..<50 { await Task.yield() }
    let isFailing = state.withLock { state in
      state.commits += 1
      return state.failing
    }
    if isFailing { throw Broken() }
    return try await inner.commit(writes)
  }
  func watch(_ kinds: Set<String>, from revision: Int64) -> DocumentChanges { inner.watch(kinds, from: revision) }
  func revision() async throws -> Int64 { try await inner.revision() }
  func close() async throws { try await inner.close() }
}
