import TestSupport
import Testing

@testable import Director

@Suite struct LockTableTests {
  private func claim(_ holder: Int, _ resources: [String: LockTable.Mode]) -> LockTable.Claim {
    LockTable.Claim(holder: holder, purpose: "task \(holder)", resources: resources)
  }

  @Test("Claims on different resources are granted at once")
  func differentResources() {
    var table = LockTable()
    let granted1 = table.add(claim(1, ["a": .exclusive]))
    #expect(granted1)
    let granted2 = table.add(claim(2, ["b": .exclusive]))
    #expect(granted2)
    #expect(table.held.map(\.holder) == [1, 2])
  }

  @Test("A shared resource is held by several, an exclusive one by one")
  func modes() {
    var table = LockTable()
    let granted3 = table.add(claim(1, ["a": .shared]))
    #expect(granted3)
    let granted4 = table.add(claim(2, ["a": .shared]))
    #expect(granted4)
    let granted5 = table.add(claim(3, ["a": .exclusive]))
    #expect(!granted5)
    #expect(table.blockers(of: 3).map(\.holder) == [1, 2])
    let woken6 = table.remove(holder: 1)
    #expect(woken6 == [])
    let woken7 = table.remove(holder: 2)
    #expect(woken7 == [3])
  }

  @Test("A later claim that could be granted does not overtake an earlier one that waits for the same resource")
  func noOvertaking() {
    var table = LockTable()
    let granted8 = table.add(claim(1, ["a": .shared]))
    #expect(granted8)
    let granted9 = table.add(claim(2, ["a": .exclusive]))
    #expect(!granted9)
    let granted10 = table.add(claim(3, ["a": .shared]))
    #expect(!granted10)
    let woken11 = table.remove(holder: 1)
    #expect(woken11 == [2])
    let woken12 = table.remove(holder: 2)
    #expect(woken12 == [3])
  }

  @Test("A waiting claim that is given up lets those behind it in")
  func abandoned() {
    var table = LockTable()
    let granted13 = table.add(claim(1, ["a": .shared]))
    #expect(granted13)
    let granted14 = table.add(claim(2, ["a": .exclusive]))
    #expect(!granted14)
    let granted15 = table.add(claim(3, ["a": .shared]))
    #expect(!granted15)
    let woken16 = table.remove(holder: 2)
    #expect(woken16 == [3])
    #expect(table.held.map(\.holder) == [1, 3])
  }

  @Test("In any sequence of claims and releases nothing exclusive is shared and everybody is served", arguments: 0..<15)
  func property(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var table = LockTable()
    var held: [Int: LockTable.Claim] = [:]
    var waiting: [Int: LockTable.Claim] = [:]

    func check() {
      var holders: [String: [LockTable.Mode]] = [:]
      for claim in held.values { for (name, mode) in claim.resources { holders[name, default: []].append(mode) } }
      #expect(holders.allSatisfy { $0.value.count == 1 || !$0.value.contains(.exclusive) })
    }
    func release(_ holder: Int) {
      held[holder] = nil
      waiting[holder] = nil
      for granted in table.remove(holder: holder) { held[granted] = waiting.removeValue(forKey: granted) }
    }

    for holder in 0..<200 {
      var resources: [String: LockTable.Mode] = [:]
      for _ in 0...Int.random(in: 0...2, using: &random) {
        resources[["a", "b", "c", "d"].randomElement(using: &random) ?? "a"] =
          Bool.random(using: &random) ? .shared : .exclusive
      }
      let new = claim(holder, resources)
      if table.add(new) { held[holder] = new } else { waiting[holder] = new }
      check()
      if Bool.random(using: &random),
        let any = (Array(held.keys) + Array(waiting.keys)).sorted().randomElement(using: &random)
      {
        release(any)
        check()
      }
    }
    var rounds = 0
    while let holder = held.keys.min(), rounds < 1000 {
      release(holder)
      check()
      rounds += 1
    }
    #expect(waiting.isEmpty)
    #expect(table.held.isEmpty)
  }
}
