import TestSupport
import Testing

@testable import Director

/// Claims of tasks that another task starts while it holds its own.
@Suite struct LockTableChildTests {
  private func claim(
    _ holder: Int, of parent: Int? = nil, _ resources: [String: LockTable.Mode]
  ) -> LockTable.Claim {
    LockTable.Claim(holder: holder, purpose: "task \(holder)", resources: resources, parent: parent)
  }

  @Test("A child is let in under its parent's claim, before all who wait for the parent, and they wait for it too")
  func umbrella() {
    var table = LockTable()
    let parent = table.add(claim(1, ["group:web": .exclusive, "group:db": .exclusive]))
    #expect(parent)
    let waiting = table.add(claim(2, ["group:web": .shared, "errand:x": .exclusive]))
    #expect(!waiting)
    let child = table.add(claim(3, of: 1, ["group:web": .shared, "errand:x": .exclusive]))
    #expect(child)
    #expect(table.blockers(of: 2).map(\.holder) == [1, 3])
    let afterParent = table.remove(holder: 1)
    #expect(afterParent == [])
    let afterChild = table.remove(holder: 3)
    #expect(afterChild == [2])
  }

  @Test("Children of one parent wait for each other in the order in which they were started")
  func siblings() {
    var table = LockTable()
    _ = table.add(claim(1, ["a": .exclusive]))
    _ = table.add(claim(2, ["a": .exclusive]))
    let first = table.add(claim(3, of: 1, ["a": .exclusive]))
    let second = table.add(claim(4, of: 1, ["a": .exclusive]))
    #expect(first && !second)
    #expect(table.blockers(of: 4).map(\.holder) == [3])
    let afterFirst = table.remove(holder: 3)
    #expect(afterFirst == [4])
    #expect(table.remove(holder: 1).isEmpty)
    let afterSecond = table.remove(holder: 4)
    #expect(afterSecond == [2])
  }

  @Test("A child whose parent is gone, or does not hold its claim, waits like anybody else")
  func orphan() {
    var table = LockTable()
    _ = table.add(claim(1, ["a": .exclusive]))
    _ = table.add(claim(2, ["a": .exclusive]))
    let child = table.add(claim(3, of: 9, ["a": .exclusive]))
    #expect(!child)
    let early = table.add(claim(4, of: 2, ["a": .exclusive]))
    #expect(!early)
    #expect(table.remove(holder: 1) == [2])
    #expect(table.blockers(of: 3).map(\.holder) == [2])
    #expect(table.blockers(of: 4).map(\.holder) == [3])
  }

  @Test("A child that wants more than its parent holds waits for who holds that")
  func more() {
    var table = LockTable()
    _ = table.add(claim(1, ["a": .exclusive]))
    _ = table.add(claim(2, ["b": .exclusive]))
    let child = table.add(claim(3, of: 1, ["a": .shared, "b": .exclusive]))
    #expect(!child)
    #expect(table.blockers(of: 3).map(\.holder) == [2])
    #expect(table.remove(holder: 2) == [3])
  }

  /// A deploy holds groups, its children are errands on them; other deploys and errands come meanwhile. A parent ends
  /// only after the children that it waits for. At some point the server is restarted.
  @Test("However deploys, their errands and others meet, nothing is shared, nobody waits for ever", arguments: 0..<40)
  func property(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var model = Model()
    var next = 1
    for _ in 0..<120 {
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<2:
        let groups = ["a", "b", "c"].filter { _ in Bool.random(using: &random) }
        model.add(claim(next, Dictionary(uniqueKeysWithValues: groups.map { ("group:\($0)", .exclusive) })))
        next += 1
      case 2..<4:
        model.add(errand(next, &random, among: ["a", "b", "c"]))
        next += 1
      case 4..<7:
        let parents = model.held.values.filter {
          $0.parent == nil && $0.resources.values.allSatisfy { $0 == .exclusive }
        }
        let groups = parents.sorted { $0.holder < $1.holder }.randomElement(using: &random).map { parent in
          (
            parent.holder,
            parent.resources.keys.filter { $0.hasPrefix("group:") }.map { String($0.dropFirst(6)) }.sorted()
          )
        }
        guard let (parent, names) = groups, !names.isEmpty else { continue }
        var child = errand(next, &random, among: names)
        child = claim(next, of: parent, child.resources)
        model.add(child, isAwaited: Bool.random(using: &random))
        next += 1
      case 7: if Int.random(in: 0..<4, using: &random) == 0 { model.restart() }
      default: model.endOne(&random)
      }
      model.check()
    }
    while model.endOne(&random) { model.check() }
    #expect(model.waiting.isEmpty, "waits for ever: \(model.waiting.keys.sorted())")
    #expect(model.table.held.isEmpty)
  }

  /// An errand on one instance of a group: on a VM of its own, or on a running one.
  private func errand(_ holder: Int, _ random: inout SeededRandom, among groups: [String]) -> LockTable.Claim {
    let group = groups.randomElement(using: &random) ?? "a"
    let mode: LockTable.Mode = Bool.random(using: &random) ? .shared : .exclusive
    return claim(holder, ["group:\(group)": mode, "errand:\(group)/0": .exclusive])
  }

  private struct Model {
    var table = LockTable()
    var held: [Int: LockTable.Claim] = [:]
    var waiting: [Int: LockTable.Claim] = [:]
    var awaited: [Int: Set<Int>] = [:]

    mutating func add(_ claim: LockTable.Claim, isAwaited: Bool = false) {
      if isAwaited, let parent = claim.parent { awaited[parent, default: []].insert(claim.holder) }
      if table.add(claim) { held[claim.holder] = claim } else { waiting[claim.holder] = claim }
    }

    /// Ends one that can: who holds its claim and waits for no child.
    @discardableResult mutating func endOne(_ random: inout SeededRandom) -> Bool {
      let able = held.keys.filter { awaited[$0]?.isEmpty ?? true }.sorted()
      guard let holder = able.randomElement(using: &random) else { return false }
      held[holder] = nil
      for parent in awaited.keys { awaited[parent]?.remove(holder) }
      for granted in table.remove(holder: holder) {
        #expect(waiting[granted] != nil)
        held[granted] = waiting.removeValue(forKey: granted)
      }
      return true
    }

    /// As `TaskBoard.resume` does it: those that held their claims first, each by its id.
    mutating func restart() {
      let before = Set(held.keys)
      let claims = held.values.sorted { $0.holder < $1.holder } + waiting.values.sorted { $0.holder < $1.holder }
      (table, held, waiting) = (LockTable(), [:], [:])
      for claim in claims { add(claim) }
      #expect(before.isSubset(of: held.keys), "a restart takes a claim away that was held")
    }

    func check() {
      for (holder, mine) in held {
        for (other, theirs) in held where other != holder {
          #expect(!mine.conflicts(with: theirs), "\(holder) and \(other) hold what conflicts")
        }
      }
      #expect(Set(table.held.map(\.holder)) == Set(held.keys))
      for holder in waiting.keys { #expect(!table.blockers(of: holder).isEmpty, "\(holder) waits for nobody") }
      // Nobody but its children comes to what a task holds, until it and those are gone.
      for child in held.values {
        guard let parent = child.parent, held[parent] != nil else { continue }
        for stranger in held.values where stranger.holder != parent && stranger.parent != parent {
          #expect(!stranger.conflicts(with: child))
        }
      }
    }
  }
}
