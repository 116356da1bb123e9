import PoolsProtocol
import Surroundings

/// A resource as it is kept: what clients see, and what the server needs to know beside it (design D9).
struct PoolRecord: Sendable, Hashable {
  var type: String
  var name: String
  var state: String
  var owner = ""
  var lastUpdate: Timestamp
  var userData: [String: String] = [:]
  var expiration: Timestamp?
  /// The request that it was leased for, when the client asked to get the same lease for the same request again.
  var grant: Grant?
  /// It was marked toBeDeleted and has not been used since; also while somebody holds it to take it down.
  var isDoomed = false
  /// The configuration names it. Known from the configuration only, and not stored.
  var isStatic = false
  /// Its name is unique among its type only, and so it is kept under both.
  var isNamedPerType = false

  /// What tells it from every other: its name, or, where names are unique per type only, `NAME/TYPE`. No name has a
  /// slash in it.
  var key: String { isNamedPerType ? Self.key(name, type) : name }
  static func key(_ name: String, _ type: String) -> String { "\(name)/\(type)" }

  var isOwned: Bool { !owner.isEmpty }
  var isTombstone: Bool { !isOwned && state == ResourceState.tombstone }

  var resource: PooledResource {
    PooledResource(
      type: type, name: name, state: state, owner: owner, lastUpdate: lastUpdate, userData: userData,
      expiration: expiration)
  }

  /// A request that has been granted.
  struct Grant: Sendable, Hashable {
    var requestID: String
    /// The state that was asked for.
    var from: String
    /// The state that it was to have then; the holder may have changed it since.
    var to: String
    var at: Timestamp
  }
}

/// A dynamic type: how many resources of it there should be, and how long they live (reference/boskos.md 4).
public struct LifeCycle: Sendable, Hashable {
  public var type: String
  /// The state of new resources; empty is `free`.
  public var initialState: String
  public var minimum: Int
  public var maximum: Int
  public var lifespan: Duration?
  /// What a resource is built from: how many resources of which type.
  public var needs: [String: Int]
  /// For the builder: which one, and what it is told.
  public var construction: Construction?

  public struct Construction: Sendable, Hashable {
    public var type: String
    public var content: String

    public init(type: String, content: String) {
      self.type = type
      self.content = content
    }
  }

  public init(
    type: String, initialState: String = "", minimum: Int = 0, maximum: Int = 0, lifespan: Duration? = nil,
    needs: [String: Int] = [:], construction: Construction? = nil
  ) {
    self.type = type
    self.initialState = initialState
    self.minimum = minimum
    self.maximum = maximum
    self.lifespan = lifespan
    self.needs = needs
    self.construction = construction
  }

  /// It is going away: no resources are wanted any more.
  var isEnding: Bool { minimum == 0 && maximum == 0 }
}
