/// Who holds and who waits for what: claims are granted in the order in which they were made (design D8).
///
/// A claim names resources, each shared or exclusive. It is granted as a whole, when no earlier claim that is still in
/// the table, granted or waiting, conflicts with it: nobody is overtaken on a resource, and so nobody starves.
///
/// A task that another one starts while it holds its claim, and may wait for, names it as its parent. The two do not
/// conflict, and the child stands right behind its parent: whoever waits for the parent waits for the child too.
///
/// A holder that finds out that it needs more claims that too, and keeps what it has meanwhile. What it adds has its place
/// right behind what it holds, before all who came later and wait: one of them may wait for this holder.
///
/// Nobody waits in a circle. Whoever waits does so for claims with an earlier place, or for later ones that are granted
/// already; and whoever has such a later one ends without waiting, or waits for nobody in the table but its children and
/// earlier places, provided that (1) whoever may add to a claim begins with something exclusive that no other one has who
/// may add the same things, and (2) all others claim once: all that they need (`docs/decisions/locks.md`).
public struct LockTable: Sendable {
  /// Several may share a resource; one alone may have it exclusively.
  public enum Mode: String, Sendable, Hashable, Codable { case shared, exclusive }

  /// What a task wants to hold.
  public struct Claim: Sendable, Hashable {
    /// The task's id.
    public let holder: Int
    /// What it is doing, for those who wait: `deploy redis`.
    public let purpose: String
    public let resources: [String: Mode]
    /// The task under whose claim this one stands.
    public let parent: Int?

    public init(holder: Int, purpose: String, resources: [String: Mode], parent: Int? = nil) {
      self.holder = holder
      self.purpose = purpose
      self.resources = resources
      self.parent = parent
    }

    func conflicts(with other: Claim) -> Bool {
      if holder == other.holder || parent == other.holder || other.parent == holder { return false }
      return resources.contains { name, mode in
        guard let otherMode = other.resources[name] else { return false }
        return mode == .exclusive || otherMode == .exclusive
      }
    }
  }

  private struct Entry {
    let claim: Claim
    var granted: Bool
  }

  private var entries: [Entry] = []

  public init() {}

  /// The claims that are held now.
  public var held: [Claim] { entries.filter(\.granted).map(\.claim) }

  /// Whether all that a holder has claimed is granted; nil when it has claimed nothing.
  public func isGranted(_ holder: Int) -> Bool? {
    let own = entries.filter { $0.claim.holder == holder }
    return own.isEmpty ? nil : own.allSatisfy(\.granted)
  }

  /// What a holder has been granted; nil when that is nothing.
  public func granted(to holder: Int) -> [String: Mode]? {
    let own = entries.filter { $0.claim.holder == holder && $0.granted }
    return own.isEmpty ? nil : Self.union(own)
  }

  private static func union(_ entries: [Entry]) -> [String: Mode] {
    entries.reduce(into: [:]) { all, entry in all.merge(entry.claim.resources) { $0 == .exclusive ? $0 : $1 } }
  }

  /// The claims that a waiting holder waits for; empty when it holds its claim or has none.
  public func blockers(of holder: Int) -> [Claim] {
    let waiting = entries.indices.filter { entries[$0].claim.holder == holder && !entries[$0].granted }
    var seen: Set<Int> = []
    return waiting.flatMap { blockers(at: $0) }.map(\.claim).filter { seen.insert($0.holder).inserted }
  }

  /// Earlier claims; and later ones that were granted before a child, or an addition, got its place before them.
  private func blockers(at index: Int) -> [Entry] {
    let claim = entries[index].claim
    return entries.indices.filter { other in
      other != index && (other < index || entries[other].granted) && entries[other].claim.conflicts(with: claim)
    }.map { entries[$0] }
  }

  /// Whether a holder has claimed all of that, granted or not.
  public func isClaimed(_ claim: Claim) -> Bool {
    Self.missing(claim, in: entries.filter { $0.claim.holder == claim.holder }).isEmpty
  }

  private static func missing(_ claim: Claim, in entries: [Entry]) -> [String: Mode] {
    let claimed = union(entries)
    return claim.resources.filter { name, mode in claimed[name] != mode && claimed[name] != .exclusive }
  }

  /// Claims what the holder has not claimed yet: at the end of the queue, or behind its parent and its parent's other
  /// children while the parent holds its own; an addition to what it holds right behind that. Returns whether all of it is
  /// granted.
  ///
  /// One that holds nothing gets all or nothing, and so cannot add to what it waits for: it is taken out before.
  public mutating func add(_ claim: Claim) -> Bool {
    let own = entries.filter { $0.claim.holder == claim.holder }
    let missing = Self.missing(claim, in: own)
    if !own.isEmpty, missing.isEmpty { return Self.missing(claim, in: own.filter(\.granted)).isEmpty }
    let addition = Claim(holder: claim.holder, purpose: claim.purpose, resources: missing, parent: claim.parent)
    let index =
      entries.lastIndex { $0.claim.holder == claim.holder && $0.granted }.map { $0 + 1 } ?? place(of: claim)
    entries.insert(Entry(claim: addition, granted: false), at: index)
    entries[index].granted = blockers(at: index).isEmpty
    return entries[index].granted
  }

  private func place(of claim: Claim) -> Int {
    guard let parent = claim.parent, granted(to: parent) != nil,
      let last = entries.lastIndex(where: { $0.claim.holder == parent || $0.claim.parent == parent })
    else { return entries.endIndex }
    return last + 1
  }

  /// Takes a holder's claims out, held or waiting. Returns the holders who have by that got all that they wait for, in
  /// order.
  public mutating func remove(holder: Int) -> [Int] { remove { $0.claim.holder == holder } }

  /// Takes out what a holder waits for; what it holds it keeps.
  public mutating func withdraw(holder: Int) -> [Int] { remove { $0.claim.holder == holder && !$0.granted } }

  private mutating func remove(where isDoomed: (Entry) -> Bool) -> [Int] {
    entries.removeAll(where: isDoomed)
    var woken: [Int] = []
    for index in entries.indices where !entries[index].granted && blockers(at: index).isEmpty {
      entries[index].granted = true
      woken.append(entries[index].claim.holder)
    }
    var seen: Set<Int> = []
    return woken.filter { isGranted($0) == true && seen.insert($0).inserted }
  }
}
