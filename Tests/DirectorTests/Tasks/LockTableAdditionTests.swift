import TestSupport
import Testing

@testable import Director

/// Claims of tasks that find out later that they need more.
@Suite struct LockTableAdditionTests {
  private func claim(_ holder: Int, of parent: Int? = nil, _ resources: [String: LockTable.Mode]) -> LockTable.Claim {
    LockTable.Claim(holder: holder, purpose: "task \(holder)", resources: resources, parent: parent)
  }

  private static let deployment: [String: LockTable.Mode] = ["deployment:x": .exclusive]

  @Test("What is free is added at once, and kept until the holder gives all back")
  func free() {
    var table = LockTable()
    _ = table.add(claim(1, Self.deployment))
    let added = table.add(claim(1, ["group:a": .exclusive]))
    #expect(added)
    #expect(table.granted(to: 1) == ["deployment:x": .exclusive, "group:a": .exclusive])
    let errand = table.add(claim(2, ["group:a": .shared]))
    let other = table.add(claim(3, ["group:b": .shared]))
    #expect(!errand && other)
    let again = table.add(claim(1, ["group:a": .exclusive]))
    #expect(again, "what it has it need not wait for")
    #expect(table.remove(holder: 1) == [2])
  }

  @Test("An addition waits for who has it, and for nobody who came after the holder and waits, who waits for it")
  func place() {
    var table = LockTable()
    _ = table.add(claim(1, Self.deployment))
    _ = table.add(claim(2, ["group:a": .exclusive]))
    // Waits for the second one, and would be before the first one's addition, were that at the end.
    let errand = table.add(claim(3, ["group:a": .shared]))
    // Waits for all of them: were the addition behind it, it and the first one would wait for each other.
    let deletion = table.add(claim(4, ["deployment:x": .exclusive, "group:a": .exclusive, "group:b": .exclusive]))
    let addition = table.add(claim(1, ["group:a": .exclusive, "group:b": .exclusive]))
    #expect(!errand && !deletion && !addition)
    #expect(table.isGranted(1) == false)
    #expect(table.granted(to: 1) == Self.deployment)
    #expect(table.blockers(of: 1).map(\.holder) == [2])
    #expect(table.blockers(of: 3).map(\.holder) == [1, 2])
    #expect(table.blockers(of: 4).map(\.holder) == [1, 2, 3])
    #expect(table.remove(holder: 2) == [1])
    #expect(table.isGranted(1) == true)
    #expect(table.remove(holder: 1) == [3])
    #expect(table.remove(holder: 3) == [4])
  }

  @Test("Who gives up waiting for an addition keeps what it has, and lets those in who waited for the addition")
  func withdrawn() {
    var table = LockTable()
    _ = table.add(claim(1, Self.deployment))
    _ = table.add(claim(2, ["group:a": .shared]))
    _ = table.add(claim(1, ["group:a": .exclusive]))
    let errand = table.add(claim(3, ["group:a": .shared]))
    #expect(!errand)
    #expect(table.withdraw(holder: 1) == [3])
    #expect(table.granted(to: 1) == Self.deployment)
    #expect(table.isGranted(1) == true)
  }

  @Test("One that holds nothing keeps its place for what it has claimed")
  func waiting() {
    var table = LockTable()
    _ = table.add(claim(1, ["group:a": .exclusive]))
    _ = table.add(claim(2, ["group:a": .exclusive, "group:b": .exclusive]))
    let again = table.add(claim(2, ["group:b": .exclusive]))
    #expect(!again, "all or nothing")
    #expect(table.isClaimed(claim(2, ["group:b": .shared])))
    #expect(!table.isClaimed(claim(2, ["group:c": .shared])))
    #expect(table.remove(holder: 1) == [2])
  }

  @Test("A child of a deploy may need a group that the deploy does not have: it waits for who has it, and for no other")
  func childBeyond() {
    var table = LockTable()
    _ = table.add(claim(1, ["deployment:x": .exclusive]))
    _ = table.add(claim(1, ["group:a": .exclusive]))
    _ = table.add(claim(2, ["group:b": .exclusive]))
    _ = table.add(claim(3, ["group:b": .exclusive]))
    let child = table.add(claim(4, of: 1, ["group:b": .shared, "errand:b/0": .exclusive]))
    #expect(!child)
    #expect(table.blockers(of: 4).map(\.holder) == [2])
    #expect(table.remove(holder: 2) == [4])
    #expect(table.remove(holder: 4) == [3])
  }

  /// Deploys of two deployments claim the deployment, then groups, and maybe more; they start errands and wait for some.
  /// Deletions claim all at once, and wait for their errands. Errands are on one or several groups. Some are ended while
  /// they wait. At some point the server is restarted.
  @Test("However deploys, deletions and errands meet, nothing is shared and nobody waits for ever", arguments: 0..<25)
  func property(seed: UInt64) {
    var random = SeededRandom(seed: seed)
    var model = LockModel()
    for _ in 0..<150 {
      switch Int.random(in: 0..<12, using: &random) {
      case 0..<2: model.deploy(&random)
      case 2: if Int.random(in: 0..<3, using: &random) == 0 { model.delete(&random) }
      case 3..<6: model.errand(&random)
      case 6..<8: model.extendOne(&random)
      case 8: model.startChild(&random)
      case 9: model.giveUpOne(&random)
      case 10: if Int.random(in: 0..<5, using: &random) == 0 { model.restart() }
      default: model.endOne(&random)
      }
      model.check()
    }
    // Whatever else they claim on their way to the end.
    while Int.random(in: 0..<6, using: &random) == 0
      ? model.extendOne(&random) || model.endOne(&random) : model.endOne(&random)
    {
      model.check()
    }
    #expect(model.tasks.isEmpty, "they wait for ever: \(model.tasks.keys.sorted())")
    #expect(model.table.held.isEmpty)
  }
}
