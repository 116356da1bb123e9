import Documents
import Logging
import PoolsProtocol
import Surroundings
import Testing

@testable import Pools

/// What a server remembers for people: transitions, events, alerts, and how work on resources has ended.
@Suite struct RememberingTests {
  private let clock = Clock()

  private func keeper(_ entries: [PoolsConfiguration.Entry], store: (any DocumentStore)? = nil) async throws
    -> PoolKeeper
  {
    var surroundings = Surroundings.system
    surroundings.now = { [clock] in clock.now }
    let keeper = try await PoolKeeper(store: store, surroundings: surroundings, logger: Logger(label: "test"))
    try await keeper.configure(PoolsConfiguration(entries))
    return keeper
  }

  @Test("what became of a resource is known, the latest first, without heartbeats", arguments: [false, true])
  func transitions(isStored: Bool) async throws {
    let keeper = try await keeper([.init(type: "t", names: ["a"])], store: isStored ? MemoryDocumentStore() : nil)
    let request = AcquireRequest(type: "t", state: "free", destination: "busy", owner: "ann")
    _ = try await keeper.acquire(request)
    try await keeper.update("a", owner: "ann", state: "busy", userData: nil)
    try await keeper.update("a", owner: "ann", state: "busy", destination: "keep", userData: nil)
    try await keeper.release("a", destination: "free", owner: "ann")
    _ = try await keeper.acquire(request)
    _ = try await keeper.reset(type: "t", state: "busy", expiry: .zero, destination: "dirty")
    let shown = try await keeper.description("a", type: nil).transitions.map {
      "\($0.kind) \($0.from) \($0.to) \($0.owner)"
    }
    #expect(
      shown == [
        "lost busy dirty ann", "leased free busy ann", "released keep free ann", "moved busy keep ann",
        "leased free busy ann", "made  free ",
      ])
  }

  @Test("of many transitions the latest are remembered, and no resource keeps those of another")
  func ring() {
    var log = TransitionLog()
    func record(_ name: String, _ number: Int) -> PoolRecord {
      PoolRecord(type: "t", name: name, state: "s\(number)", lastUpdate: Timestamp(seconds: number))
    }
    for number in 1...(TransitionLog.capacity + 10) {
      let name = number % 10 == 0 ? "rare" : "often"
      log.add(
        [.resource(name, before: record(name, number - 1), after: record(name, number))], isTakingBack: false)
    }
    log.add([.resource("new", before: nil, after: record("new", 1))], isTakingBack: false)
    #expect(log["often"].count == TransitionLog.mostShown)
    #expect(log["rare"].first?.to == "s\(TransitionLog.capacity + 10)")
    #expect(log["rare"].allSatisfy { $0.to.hasSuffix("0") })
    #expect(log["new"].map(\.kind) == [.made] && log["none"].isEmpty)
    for number in 1...TransitionLog.capacity {
      log.add([.resource("x", before: record("x", number - 1), after: record("x", number))], isTakingBack: false)
    }
    #expect(log["rare"].isEmpty && log["new"].isEmpty && log["x"].count == TransitionLog.mostShown)
  }

  @Test("a lost lease is an event; who waits for events is told at once, and knows where to go on")
  func events() async throws {
    let keeper = try await keeper([.init(type: "t", names: ["a", "b"])])
    let start = await keeper.events(after: 0, kinds: [], type: nil, limit: 10, wait: .zero)
    #expect(start.events.isEmpty)
    for name in ["a", "b"] {
      _ = try await keeper.acquire(names: [name], state: "free", destination: "busy", owner: "ann")
    }
    async let waiting = keeper.events(after: start.last, kinds: [.leaseLost], type: "t", limit: 1, wait: .seconds(600))
    while await keeper.listeners.isEmpty { await Task.yield() }
    await keeper.noteConfiguration(fault: "x")
    _ = try await keeper.reset(type: "t", state: "busy", expiry: .zero, destination: "dirty")
    let told = await waiting
    #expect(told.events.map(\.name) == ["a"] && told.events[0].owner == "ann" && !told.hasForgotten)
    let rest = await keeper.events(after: told.last, kinds: [], type: nil, limit: 10, wait: .zero)
    #expect(rest.events.map(\.name) == ["b"])
    #expect(await keeper.eventCounts == [.leaseLost: 2, .configurationRefused: 1])
    // From before a restart, and from a time that is forgotten.
    #expect(await keeper.events(after: 1, kinds: [], type: nil, limit: 10, wait: .zero).hasForgotten)
  }

  @Test("of many events the latest are remembered, without gaps")
  func manyEvents() {
    var log = EventLog(start: Timestamp(seconds: 1))
    let event = PoolEvent(
      number: 0, at: Timestamp(seconds: 1), kind: .leaseLost, type: "", name: "", owner: "", state: "", message: "")
    for _ in 0..<(EventLog.capacity + 5) { log.add(event) }
    #expect(log.last == 1000 + Int64(EventLog.capacity) + 5)
    #expect(Array(log.events(after: 0)).map(\.number) == Array((1006...log.last)))
    #expect(Array(log.events(after: log.last - 2)).map(\.number) == [log.last - 1, log.last])
    #expect(Array(log.events(after: log.last + 9)).isEmpty)
    #expect(log.hasForgotten(after: 1004) && !log.hasForgotten(after: 1005))
  }

  @Test("a pool that runs dry is told of once, and once when it has recovered")
  func dry() async throws {
    var policy = TypePolicy()
    policy.alertBelow = 2
    policy.alertWaiting = .seconds(600)
    let keeper = try await keeper([
      .init(type: "t", names: ["a", "b"], policy: policy), .init(type: "u", names: ["x"]),
    ])
    func told() async -> [String] {
      await keeper.tick(clearing: false)
      return await keeper.events(after: 0, kinds: [], type: nil, limit: 100, wait: .zero).events.map(\.kind.rawValue)
    }
    #expect(await told() == [])
    let request = AcquireRequest(type: "t", state: "free", destination: "busy", owner: "ann")
    _ = try await keeper.acquire(request)
    #expect(await told() == ["pool-low"])
    _ = try await keeper.acquire(request)
    #expect(await told() == ["pool-low"])
    #expect(await keeper.alertStates == [PoolAlertState(type: "t", isLow: true, isWaiting: false)])
    var waiter = request
    waiter.requestID = "w"
    for _ in 0..<25 {
      _ = try? await keeper.acquire(waiter)
      clock.advance(.seconds(29))
    }
    #expect(await told() == ["pool-low", "waiting-long"])
    // Who no longer asks does not wait.
    clock.advance(.seconds(60))
    #expect(await told() == ["pool-low", "waiting-long", "waiting-recovered"])
    for name in ["a", "b"] { try await keeper.release(name, destination: "free", owner: "ann") }
    #expect(await told() == ["pool-low", "waiting-long", "waiting-recovered", "pool-recovered"])
  }

  @Test("how work on a resource ended is kept over restarts, and goes with the resource")
  func work() async throws {
    let store = MemoryDocumentStore()
    let first = try await keeper([.init(type: "t", names: ["a"])], store: store)
    let failed = PoolWorkRecord(
      kind: "clean", succeeded: false, ending: "exited with 1", duration: .seconds(2), log: "no \"way\"\n")
    await #expect(throws: PoolFault.ownerDiffers(requested: "Janitor", current: "")) {
      try await first.record(failed, of: "a", type: nil, owner: "Janitor")
    }
    _ = try await first.acquire(names: ["a"], state: "free", destination: "cleaning", owner: "Janitor")
    for times in 1...4 {
      #expect(try await first.record(failed, of: "a", type: "t", owner: "Janitor") == times)
    }
    let second = try await keeper([.init(type: "t", names: ["a"])], store: store)
    let work = try await second.description("a", type: nil).work
    #expect(work.failures == 4 && work.records.count == 3 && work.records[0].log == "no \"way\"\n")
    #expect(try await second.description("a", type: nil).work == first.description("a", type: nil).work)
    try await second.release("a", destination: "quarantine", owner: "Janitor")
    #expect(try await second.description("a", type: nil).work.failures == 0)
    #expect(await second.eventCounts == [.quarantined: 1])
    try await second.configure(PoolsConfiguration([.init(type: "t", names: ["b"])]))
    #expect(try await store.list("pool-work").documents.isEmpty)
  }

  @Test("accounts of work that succeeded make room early, those of work that failed late")
  func accounts() {
    var log = WorkLog()
    func record(_ succeeded: Bool) -> PoolWorkRecord {
      PoolWorkRecord(
        kind: "clean", succeeded: succeeded, ending: "", duration: .zero, log: String(repeating: "x", count: 2000))
    }
    _ = log.add("bad", record(false))
    for number in 0..<WorkLog.mostSucceeded { #expect(log.add("g\(number)", record(true)).forgotten == []) }
    #expect(log.add("last", record(true)).forgotten == ["g0"])
    #expect(log["bad"]?.failures == 1 && log["g0"] == nil)
    #expect(log["last"]?.records[0].log.utf8.count == WorkLog.longestSuccess)
    #expect(log.forget("bad") && !log.forget("bad"))
  }
}
