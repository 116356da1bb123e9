import PoolsProtocol
import Surroundings
import TestSupport
import Testing

@testable import Pools

@Suite struct LeaseEngineModelTests {
  private typealias Outcome = Result<[PooledResource], PoolFault>

  @Test("random operations have the outcomes of an obvious model", arguments: Array(1...20) as [UInt64])
  func likeTheModel(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var engine = LeaseEngine { "never" }
    var model = ObviousPools()
    let types = ["car", "bike"]
    let entries = types.map { type in
      PoolsConfiguration.Entry(type: type, names: (0..<6).map { "\(type)-\($0)" })
    }
    var now = Timestamp(seconds: 1_000_000)
    let configuration = PoolsConfiguration(entries)
    engine.configure(configuration, now)
    model.resources = configuration.orderedStatic.map { PooledResource(type: $1.type, name: $0, lastUpdate: now) }
    for _ in 0..<1500 {
      // Never the same time twice: the order of equal times is nobody's promise.
      now = now + .milliseconds(Int.random(in: 1...(Bool.random(using: &random) ? 10 : 9000), using: &random))
      step(&engine, &model, now, &random)
      for type in types { #expect(engine.table.types[type]?.metric(type) == model.metric(type)) }
    }
    for resource in model.resources { #expect(engine.table[resource.name]?.resource == resource) }
    // What it says that it changed, taken back, is where it began.
    engine.undo(engine.takeChanges())
    #expect(engine.table.records.allSatisfy { _ in false })
    #expect(engine.queues.isEmpty)
  }

  private func step(
    _ engine: inout LeaseEngine, _ model: inout ObviousPools, _ now: Timestamp, _ random: inout SeededRandom
  ) {
    func one(_ values: [String]) -> String { values.randomElement(using: &random) ?? "" }
    let states = ["free", "dirty", "busy"]
    let owners = ["ann", "bob", "eve"]
    let names = model.resources.map(\.name) + ["nobody"]
    // Mostly of somebody who really holds something.
    let held = model.resources.filter { $0.owner != "" }.randomElement(using: &random)
    let name = Int.random(in: 0..<4, using: &random) > 0 ? held?.name ?? one(names) : one(names)
    let owner = Int.random(in: 0..<4, using: &random) > 0 ? held?.owner ?? one(owners) : one(owners)
    let destination = one(states)
    var (ours, theirs): (Outcome, Outcome)
    switch Int.random(in: 0..<20, using: &random) {
    case 0..<9:
      let id = Bool.random(using: &random) ? one((0..<8).map { "r\($0)" }) : nil
      let request = AcquireRequest(
        type: one(["car", "car", "bike", "bike", "boat"]), state: one(states), destination: destination,
        owner: one(owners), requestID: id)
      ours = outcome { () throws(PoolFault) in [try engine.acquire(request, now).resource] }
      theirs = outcome { () throws(PoolFault) in [try model.acquire(request, now)] }
    case 9..<15:
      ours = outcome { () throws(PoolFault) in
        try engine.release(name, destination: destination, owner: owner, now)
        return []
      }
      theirs = outcome { () throws(PoolFault) in
        try model.release(name, destination: destination, owner: owner, now)
        return []
      }
    case 15..<17:
      let state = held?.state ?? one(states)
      let data = [one(["a", "b"]): one(["", "1", "2"])]
      let next = Int.random(in: 0..<4, using: &random) == 0 ? one(states) : nil
      ours = outcome { () throws(PoolFault) in
        try engine.update(name, owner: owner, state: state, destination: next, userData: data, now)
        return []
      }
      theirs = outcome { () throws(PoolFault) in
        try model.update(name, owner: owner, state: state, destination: next, userData: data, now)
        return []
      }
    case 17:
      let chosen = Set((0..<2).map { _ in one(names) })
      let state = one(states)
      ours = outcome { () throws(PoolFault) in
        try engine.acquire(names: chosen, state: state, destination: destination, owner: one(["ann"]), now)
      }
      theirs = outcome { () throws(PoolFault) in
        try model.acquire(names: chosen, state: state, destination: destination, owner: one(["ann"]), now)
      }
    case 18:
      let (type, state) = (one(["car", "bike"]), one(states))
      let expiry = Duration.seconds(Int.random(in: 0...40, using: &random))
      let lost = engine.reset(type: type, state: state, expiry: expiry, destination: destination, now)
      #expect(lost == model.reset(type: type, state: state, expiry: expiry, destination: destination, now))
      return
    default:
      engine.clearQueues(now)
      model.clearQueues(now)
      return
    }
    #expect(ours == theirs)
  }

  private func outcome(_ body: () throws(PoolFault) -> [PooledResource]) -> Outcome {
    do { return .success(try body()) } catch { return .failure(error) }
  }
}
