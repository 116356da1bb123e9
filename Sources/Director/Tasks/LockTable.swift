/// Who holds and who waits for what: claims are granted in the order in which they were made (design D8).
///
/// A claim names resources, each shared or exclusive. It is granted as a whole, when no earlier claim that is still in
/// the table, granted or waiting, conflicts with it: nobody is overtaken on a resource, and so nobody starves.
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

    public init(holder: Int, purpose: String, resources: [String: Mode]) {
      self.holder = holder
      self.purpose = purpose
      self.resources = resources
    }

    func conflicts(with other: Claim) -> Bool {
      resources.contains { name, mode in
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

  /// The earlier claims that a waiting holder waits for; empty when it holds its claim or has none.
  public func blockers(of holder: Int) -> [Claim] {
    guard let index = entries.firstIndex(where: { $0.claim.holder == holder && !$0.granted }) else { return [] }
    return entries[..<index].map(\.claim).filter { $0.conflicts(with: entries[index].claim) }
  }

  /// Adds a claim at the end of the queue. Returns whether it is granted at once.
  public mutating func add(_ claim: Claim) -> Bool {
    let granted = !entries.contains { $0.claim.conflicts(with: claim) }
    entries.append(Entry(claim: claim, granted: granted))
    return granted
  }

  /// Takes a holder's claims out, held or waiting. Returns the holders whose claims are granted by that, in order.
  public mutating func remove(holder: Int) -> [Int] {
    entries.removeAll { $0.claim.holder == holder }
    var granted: [Int] = []
    for index in entries.indices where !entries[index].granted {
      let claim = entries[index].claim
      if !entries[..<index].contains(where: { $0.claim.conflicts(with: claim) }) {
        entries[index].granted = true
        granted.append(claim.holder)
      }
    }
    return granted
  }
}
