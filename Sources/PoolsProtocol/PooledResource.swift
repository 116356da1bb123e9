public import Surroundings

/// A resource as clients of a pool see it (reference/boskos.md 1): what it is, who holds it, and since when.
public struct PooledResource: Sendable, Hashable {
  public var type: String
  /// Unique over all types.
  public var name: String
  /// Any text; ``ResourceState`` has those with a meaning.
  public var state: String
  /// Who holds it; empty when nobody does.
  public var owner: String
  /// Nil prints as Go's zero time.
  public var lastUpdate: Timestamp?
  public var userData: [String: String]
  /// When a dynamic resource that nobody holds is given up; whole seconds on the wire.
  public var expiration: Timestamp?

  public init(
    type: String, name: String, state: String = ResourceState.free, owner: String = "", lastUpdate: Timestamp? = nil,
    userData: [String: String] = [:], expiration: Timestamp? = nil
  ) {
    self.type = type
    self.name = name
    self.state = state
    self.owner = owner
    self.lastUpdate = lastUpdate
    self.userData = userData
    self.expiration = expiration
  }
}

/// States that the services of a pool give a meaning. Any other text is a state as well.
public enum ResourceState {
  public static let busy = "busy"
  public static let cleaning = "cleaning"
  public static let dirty = "dirty"
  public static let free = "free"
  public static let leased = "leased"
  public static let toBeDeleted = "toBeDeleted"
  public static let tombstone = "tombstone"

  /// In the order of their names, as metrics show them.
  public static let known = [busy, cleaning, dirty, free, leased, toBeDeleted, tombstone]
}

/// How many resources of a type are in which state and with which owner; unowned ones are under an empty name.
public struct PoolMetric: Sendable, Hashable {
  public var type: String
  public var current: [String: Int]
  public var owners: [String: Int]

  public init(type: String, current: [String: Int] = [:], owners: [String: Int] = [:]) {
    self.type = type
    self.current = current
    self.owners = owners
  }
}
