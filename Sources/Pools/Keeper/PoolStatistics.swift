/// What has happened to leases since the start.
public struct PoolStatistics: Sendable, Hashable {
  /// States are made up by clients: of each type this many are told apart, and the rest is `other`.
  private static let mostStates = 50

  /// How many were released, by type and by the state they went to.
  public private(set) var released: [String: [String: Int]] = [:]
  /// How many leases were taken back, by type.
  public private(set) var lost: [String: Int] = [:]

  mutating func released(type: String, to state: String) {
    let isKnown = released[type].map { $0[state] != nil || $0.count < Self.mostStates } ?? true
    released[type, default: [:]][isKnown ? state : "other", default: 0] += 1
  }

  mutating func lost(type: String, _ count: Int) {
    if count > 0 { lost[type, default: 0] += count }
  }
}
