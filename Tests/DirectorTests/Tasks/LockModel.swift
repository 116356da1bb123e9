import TestSupport
import Testing

@testable import Director

/// The tasks of a director as far as they claim something, around a ``LockTable``.
struct LockModel {
  enum Kind { case deploy, deletion, errand }

  struct ModelTask {
    let kind: Kind
    let deployment: String
    let parent: Int?
    /// What it claims first.
    let claim: LockTable.Claim
    var held: [String: LockTable.Mode] = [:]
    /// What it waits for, beyond what it holds.
    var awaited: [String: LockTable.Mode]?
    var awaitedChildren: Set<Int> = []
    var additions = 0
  }

  static let groups = ["a", "b", "c"]

  var table = LockTable()
  private(set) var tasks: [Int: ModelTask] = [:]
  private var next = 1
  /// From then on those that had begun are before all others.
  private var hasRestarted = false

  private mutating func begin(
    _ kind: Kind, _ deployment: String, of parent: Int? = nil, _ resources: [String: LockTable.Mode]
  ) {
    let claim = LockTable.Claim(holder: next, purpose: "task \(next)", resources: resources, parent: parent)
    tasks[next] = ModelTask(kind: kind, deployment: deployment, parent: parent, claim: claim, awaited: resources)
    add(claim)
    next += 1
  }

  private mutating func add(_ claim: LockTable.Claim) {
    if table.add(claim) { grant(claim.holder) }
  }

  private mutating func grant(_ holder: Int) {
    guard let awaited = tasks[holder]?.awaited else {
      Issue.record("\(holder) is granted what it does not wait for")
      return
    }
    tasks[holder]?.held.merge(awaited) { $1 }
    tasks[holder]?.awaited = nil
  }

  // MARK: What they do

  mutating func deploy(_ random: inout SeededRandom) {
    let deployment = Bool.random(using: &random) ? "x" : "y"
    begin(.deploy, deployment, ["deployment:\(deployment)": .exclusive])
  }

  mutating func delete(_ random: inout SeededRandom) {
    let deployment = Bool.random(using: &random) ? "x" : "y"
    var claims: [String: LockTable.Mode] = ["deployment:\(deployment)": .exclusive]
    for group in Self.groups { claims["group:\(deployment)/\(group)"] = .exclusive }
    begin(.deletion, deployment, claims)
  }

  mutating func errand(_ random: inout SeededRandom) {
    let deployment = Bool.random(using: &random) ? "x" : "y"
    begin(.errand, deployment, errandClaim(deployment, &random))
  }

  /// On a VM of its own, or on running instances of one or several groups.
  private func errandClaim(_ deployment: String, _ random: inout SeededRandom) -> [String: LockTable.Mode] {
    let isOwn = Bool.random(using: &random)
    let count = isOwn ? 1 : Int.random(in: 1...3, using: &random)
    var claims: [String: LockTable.Mode] = [:]
    for group in Self.groups.shuffled(using: &random).prefix(count) {
      claims["group:\(deployment)/\(group)"] = isOwn ? .exclusive : .shared
      claims["errand:\(deployment)/\(group)/0"] = .exclusive
    }
    return claims
  }

  private func able(_ isWanted: (ModelTask) -> Bool) -> [Int] {
    tasks.filter { $0.value.awaited == nil && isWanted($0.value) }.keys.sorted()
  }

  /// A deploy that has begun needs other groups.
  @discardableResult mutating func extendOne(_ random: inout SeededRandom) -> Bool {
    let deploys = able { $0.kind == .deploy && $0.awaitedChildren.isEmpty && $0.additions < 4 }
    guard let holder = deploys.randomElement(using: &random), let task = tasks[holder] else { return false }
    let wanted = Self.groups.filter { _ in Bool.random(using: &random) }.map { "group:\(task.deployment)/\($0)" }
    let missing = wanted.filter { task.held[$0] == nil }
    tasks[holder]?.additions += 1
    guard !missing.isEmpty else { return true }
    let resources = Dictionary(uniqueKeysWithValues: missing.map { ($0, LockTable.Mode.exclusive) })
    tasks[holder]?.awaited = resources
    add(LockTable.Claim(holder: holder, purpose: "task \(holder)", resources: resources))
    return true
  }

  /// A deploy or a deletion starts an errand, on whatever group, and waits for it or not.
  mutating func startChild(_ random: inout SeededRandom) {
    guard let parent = able({ $0.kind != .errand }).randomElement(using: &random), let task = tasks[parent] else {
      return
    }
    if task.kind == .deletion || Bool.random(using: &random) { tasks[parent]?.awaitedChildren.insert(next) }
    begin(.errand, task.deployment, of: parent, errandClaim(task.deployment, &random))
  }

  /// Somebody ends a task that waits.
  mutating func giveUpOne(_ random: inout SeededRandom) {
    let waiting = tasks.filter { $0.value.awaited != nil }.keys.sorted()
    guard let holder = waiting.randomElement(using: &random) else { return }
    let before = tasks[holder]?.held ?? [:]
    let woken = table.withdraw(holder: holder)
    #expect(table.granted(to: holder) ?? [:] == before)
    for other in woken { grant(other) }
    end(holder)
  }

  /// One ends that can: it has what it wants and waits for no child.
  @discardableResult mutating func endOne(_ random: inout SeededRandom) -> Bool {
    guard let holder = able({ $0.awaitedChildren.isEmpty }).randomElement(using: &random) else { return false }
    end(holder)
    return true
  }

  private mutating func end(_ holder: Int) {
    tasks[holder] = nil
    for parent in tasks.keys { tasks[parent]?.awaitedChildren.remove(holder) }
    for other in table.remove(holder: holder) { grant(other) }
  }

  /// As `TaskBoard.resume` does it: those that held something first, each with what it waits for beyond that.
  mutating func restart() {
    let before = tasks
    hasRestarted = true
    table = LockTable()
    let begun = tasks.filter { !$0.value.held.isEmpty }.keys.sorted()
    let queued = tasks.filter { $0.value.held.isEmpty }.keys.sorted()
    func claim(_ holder: Int, _ resources: [String: LockTable.Mode]) -> LockTable.Claim {
      LockTable.Claim(
        holder: holder, purpose: "task \(holder)", resources: resources, parent: before[holder]?.parent)
    }
    for holder in begun {
      let isBack = table.add(claim(holder, before[holder]?.held ?? [:]))
      #expect(isBack, "a restart takes from \(holder) what it held")
    }
    for holder in begun {
      if let awaited = before[holder]?.awaited, table.add(claim(holder, awaited)) { grant(holder) }
    }
    for holder in queued { if let claim = before[holder]?.claim { add(claim) } }
  }

  // MARK: What must always be so

  func check() {
    for (holder, task) in tasks {
      let granted = table.granted(to: holder) ?? [:]
      if granted != task.held { Issue.record("\(holder) holds \(task.held), and the table says \(granted)") }
      if table.isGranted(holder) != (task.awaited == nil) { Issue.record("\(holder): waits in one, not in the other") }
      if task.awaited != nil { checkWait(of: holder, task) }
      for (other, theirs) in tasks where other > holder && other != task.parent && theirs.parent != holder {
        for (resource, mode) in task.held {
          guard let otherMode = theirs.held[resource], mode == .exclusive || otherMode == .exclusive else { continue }
          Issue.record("\(holder) and \(other) both hold \(resource)")
        }
      }
    }
  }

  private func checkWait(of holder: Int, _ task: ModelTask) {
    let blockers = table.blockers(of: holder)
    if blockers.isEmpty { Issue.record("\(holder) waits for nobody") }
    if task.kind == .errand, !task.held.isEmpty { Issue.record("\(holder) waits and holds something") }
    // Nobody overtakes but children of those who came before.
    for blocker in blockers where !hasRestarted && tasks[blocker.holder]?.held.isEmpty == true {
      let isEarlier = min(blocker.holder, blocker.parent ?? .max) < max(holder, task.parent ?? 0)
      if !isEarlier { Issue.record("\(blocker.holder) has overtaken \(holder)") }
    }
  }
}
