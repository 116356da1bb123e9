/// Who holds and who waits for what: claims are granted in the order in which they were made (design D8).
///
/// A claim names resources, each shared or exclusive. It is granted as a whole, when no earlier claim that is still in
/// the table, granted or waiting, conflicts with it: nobody is overtaken on a resource, and so nobody starves.
///
/// A task that another one starts while it holds its claim, and may wait for, names it as its parent. The two do not
/// conflict, and the child stands right behind its parent: whoever waits for the parent waits for the child too. Nobody
/// can wait in a circle, provided that what a child claims beyond its parent's claim is claimed only by tasks that
/// conflict with the parent anyway, as errands do with a deploy of their groups.
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
      if parent == other.holder || other.parent == holder { return false }
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

  /// Whether a holder's claim is granted; nil when it has none.
  public func isGranted(_ holder: Int) -> Bool? { entries.first { $0.claim.holder == holder }?.granted }

  /// The claims that a waiting holder waits for; empty when it holds its claim or has none.
  public func blockers(of holder: Int) -> [Claim] {
    guard let index = entries.firstIndex(where: { $0.claim.holder == holder && !$0.granted }) else { return [] }
    return blockers(at: index).map(\.claim)
  }

  /// Earlier claims; and later ones that were granted before a child got its place before them.
  private func blockers(at index: Int) -> [Entry] {
    let claim = entries[index].claim
    return entries.indices.filter { other in
      other != index && (other < index || entries[other].granted) && entries[other].claim.conflicts(with: claim)
    }.map { entries[$0] }
  }

  /// Adds a claim: at the end of the queue, or behind its parent and its parent's other children while the parent holds
  /// its own. Returns whether it is granted at once.
  public mutating func add(_ claim: Claim) -> Bool {
    let index = place(of: claim)
    entries.insert(Entry(claim: claim, granted: false), at: index)
    entries[index].granted = blockers(at: index).isEmpty
    return entries[index].granted
  }

  private func place(of claim: Claim) -> Int {
    guard let parent = claim.parent, isGranted(parent) == true,
      let last = entries.lastIndex(where: { $0.claim.holder == parent || $0.claim.parent == parent })
    else { return entries.endIndex }
    return last + 1
  }

  /// Takes a holder's claims out, held or waiting. Returns the holders whose claims are granted by that, in order.
  public mutating func remove(holder: Int) -> [Int] {
    entries.removeAll { $0.claim.holder == holder }
    var granted: [Int] = []
    for index in entries.indices where !entries[index].granted {
      if blockers(at: index).isEmpty {
        entries[index].granted = true
        granted.append(entries[index].claim.holder)
      }
    }
    return granted
  }
}
