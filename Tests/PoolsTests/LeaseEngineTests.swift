import PoolsProtocol
import Surroundings
import Testing

@testable import Pools

@Suite struct LeaseEngineTests {
  private let start = Timestamp(seconds: 1_000_000)

  private func engine(_ entries: PoolsConfiguration.Entry...) -> LeaseEngine {
    let names = Counter()
    var engine = LeaseEngine { names.next() }
    if !entries.isEmpty { engine.configure(PoolsConfiguration(entries), start) }
    return engine
  }

  private func request(_ id: String?, type: String = "t", state: String = "free", idempotent: Bool = false)
    -> AcquireRequest
  {
    AcquireRequest(
      type: type, state: state, destination: "busy", owner: "o", requestID: id, isIdempotent: idempotent)
  }

  @Test("resources are handed out in turns: the one that was not used the longest comes first")
  func roundRobin() throws {
    var engine = engine(.init(type: "t", names: ["a", "b", "c", "d"]))
    var seen: [String] = []
    for step in 1...4 {
      let name = try engine.acquire(request(nil), start + .seconds(step)).resource.name
      seen.append(name)
      try engine.release(name, destination: "free", owner: "o", start + .seconds(step))
    }
    #expect(seen == ["a", "b", "c", "d"])
  }

  @Test("who has waited longer is served first, and who has no request id comes last")
  func priority() throws {
    var engine = engine()
    #expect(throws: PoolFault.typeUnknown("t")) { try engine.acquire(request("id1"), start) }
    engine.configure(PoolsConfiguration([.init(type: "t", names: ["a"])]), start)
    #expect(throws: PoolFault.nothingAvailable("t")) { try engine.acquire(request(nil), start + .seconds(1)) }
    #expect(throws: PoolFault.nothingAvailable("t")) { try engine.acquire(request("id2"), start + .seconds(2)) }
    let got = try engine.acquire(request("id1"), start + .seconds(3))
    #expect(got.resource.name == "a" && got.waitingSince == start)
    try engine.release("a", destination: "free", owner: "o", start + .seconds(4))
    #expect(throws: PoolFault.nothingAvailable("t")) { try engine.acquire(request("id1"), start + .seconds(5)) }
    #expect(throws: PoolFault.nothingAvailable("t")) { try engine.acquire(request(nil), start + .seconds(6)) }
    let later = start + .seconds(60)
    engine.clearQueues(later)
    #expect(try engine.acquire(request(nil), later).waitingSince == later)
  }

  @Test("a place in the queue is kept after its time until it is cleared away, and then it is lost")
  func places() {
    let key = QueueKey(type: "t", state: "free")
    var engine = engine()
    for id in 0..<10 { _ = try? engine.acquire(request("\(id)"), start) }
    #expect((0..<10).map { engine.queues[key]?.rank("\($0)") } == Array(0..<10))
    #expect(engine.queues[key]?.rank(nil) == 10)
    engine.clearQueues(start)
    #expect(engine.queues[key]?.count == 10)
    _ = try? engine.acquire(request("9"), start + .seconds(31))
    #expect(engine.queues[key]?.rank("9") == 0)
    _ = try? engine.acquire(request("3"), start + .seconds(32))
    #expect(engine.queues[key]?.rank("3") == 0 && engine.queues[key]?.rank("9") == 1)
    engine.clearQueues(start + .seconds(32))
    _ = try? engine.acquire(request("0"), start + .seconds(33))
    #expect(engine.queues[key]?.rank("0") == 2)
    engine.clearQueues(start + .seconds(90))
    #expect(engine.queues.isEmpty)
  }

  @Test("with idempotent, the same request again gets the lease that it already got, within its time")
  func idempotent() throws {
    var engine = engine(.init(type: "t", names: ["a", "b", "c"]))
    let first = try engine.acquire(request("r", idempotent: true), start)
    #expect(try engine.acquire(request("r", idempotent: true), start + .seconds(30)).resource == first.resource)
    // Another state that the holder has put it in since does not make it another request.
    try engine.update("a", owner: "o", state: "busy", destination: "keep", userData: nil, start + .seconds(30))
    let again = try engine.acquire(request("r", idempotent: true), start + .seconds(30)).resource
    #expect(again.name == "a" && again.state == "keep")
    // As Boskos: jobs may share a request id.
    #expect(try engine.acquire(request("r"), start + .seconds(30)).resource.name == "b")
    #expect(try engine.acquire(request("r", idempotent: true), start + .seconds(31)).resource.name == "c")
    try engine.release("c", destination: "free", owner: "o", start + .seconds(32))
    #expect(try engine.acquire(request("r", idempotent: true), start + .seconds(33)).resource.name == "c")
  }

  @Test("several resources by name are all leased, or none is")
  func allOrNothing() throws {
    var engine = engine(.init(type: "t", names: ["a", "b"]), .init(type: "u", state: "dirty", names: ["c"]))
    for names in [["a", "b", "c"], ["a", ""], ["a", "x"]] as [Set<String>] {
      #expect(throws: PoolFault.nothingAvailable("free")) {
        try engine.acquire(names: names, state: "free", destination: "busy", owner: "o", start)
      }
      #expect(engine.table["a"]?.owner == "")
    }
    let got = try engine.acquire(names: ["b", "a"], state: "free", destination: "busy", owner: "o", start)
    #expect(got.map(\.name) == ["a", "b"])
  }

  @Test("a request that is new makes a resource of a dynamic type, as long as there are not too many")
  func onDemand() {
    var engine = engine(.init(type: "t", state: "dirty", maximum: 2))
    #expect(throws: PoolFault.nothingAvailable("t")) { try engine.acquire(request(nil), start) }
    #expect(engine.table.count == 0)
    for (id, count) in [("1", 1), ("1", 1), ("2", 2), ("3", 2)] {
      #expect(throws: PoolFault.nothingAvailable("t")) { try engine.acquire(request(id), start) }
      #expect(engine.table.count == count)
    }
    #expect(engine.table.records.allSatisfy { $0.state == "dirty" && $0.userData.isEmpty && $0.expiration == nil })
  }

  @Test("a release sets the expiry that the life cycle wants", arguments: [nil, 60] as [Int?])
  func lifespan(seconds: Int?) throws {
    let lifespan = seconds.map { Duration.seconds($0) }
    var engine = engine(
      .init(type: "t", minimum: 1, maximum: 1, lifespan: lifespan), .init(type: "s", names: ["s"]))
    let name = try engine.acquire(request(nil), start).resource.name
    try engine.release(name, destination: "free", owner: "o", start + .seconds(5))
    #expect(engine.table[name]?.expiration == lifespan.map { start + .seconds(5) + $0 })
    _ = try engine.acquire(request(nil, type: "s"), start)
    try engine.release("s", destination: "free", owner: "o", start)
    #expect(engine.table["s"]?.expiration == nil)
  }

  @Test("what has lived long enough is taken down when its time comes, and replaced when the cleaner is done")
  func expiry() throws {
    var engine = engine(.init(type: "t", minimum: 1, maximum: 2, lifespan: .seconds(60)))
    let name = try engine.acquire(request(nil), start).resource.name
    try engine.release(name, destination: "free", owner: "o", start)
    #expect(engine.nextDeadline == start + .seconds(60))
    engine.tick(start + .seconds(60))
    #expect(engine.table[name]?.state == "free")
    engine.tick(start + .seconds(61))
    #expect(engine.table[name]?.state == "toBeDeleted")
    // While the cleaner holds it, it is still one that goes.
    _ = try engine.acquire(request(nil, state: "toBeDeleted"), start + .seconds(62))
    #expect(engine.table.types["t"]?.doomed == 1)
    try engine.release(name, destination: "tombstone", owner: "o", start + .seconds(63))
    #expect(engine.table[name] == nil && engine.table.count == 1)
  }

  @Test("time without a server makes nobody's lease older")
  func outages() throws {
    var engine = engine(
      .init(type: "t", names: ["a"]), .init(type: "d", minimum: 1, maximum: 1, lifespan: .seconds(60)))
    let name = try engine.acquire(request(nil, type: "d"), start).resource.name
    try engine.release(name, destination: "free", owner: "o", start)
    _ = try engine.acquire(request(nil), start)
    var restarted = LeaseEngine { "new" }
    restarted.table.outages.add(from: start + .seconds(10), to: start + .seconds(1000))
    for record in engine.table.records { restarted.restore(record) }
    for lifeCycle in engine.lifeCycles.values { restarted.restore(lifeCycle) }
    restarted.tick(start + .seconds(1050))
    #expect(restarted.table[name]?.state == "free")
    restarted.tick(start + .seconds(1051))
    #expect(restarted.table[name]?.state == "toBeDeleted")
    let expiry = Duration.seconds(60)
    #expect(
      restarted.reset(type: "t", state: "busy", expiry: expiry, destination: "dirty", start + .seconds(1049)) == [:])
    #expect(
      restarted.reset(type: "t", state: "busy", expiry: expiry, destination: "dirty", start + .seconds(1050))
        == ["a": "o"])
  }
}

/// Names dt_1, dt_2, …
final class Counter: Sendable {
  private let count = Locked(0)
  func next() -> String {
    count.with { count in
      count += 1
      return "dt_\(count)"
    }
  }
}
