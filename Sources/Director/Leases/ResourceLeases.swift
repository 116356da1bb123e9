/// Pools from which errands lease what they need while they run (design D9): those of this server or those of others.
///
/// Whoever asks does so in the name of an owner that is nobody else's, so that what was leased can be found again by it.
/// Errors that are no ``LeaseFault`` mean that the pools cannot be asked now.
public protocol ResourceLeases: Sendable {
  /// After how much silence a lease of this type may be taken back while it is in this state; nil for never.
  func expiry(of type: String, in state: String) async -> Duration?

  /// Leases a resource, or keeps the caller's place in line for it.
  ///
  /// - Parameter patience: for how long an answer may take.
  func acquire(_ request: LeaseRequest, patience: Duration) async throws -> LeaseAnswer
  /// Who waited will not ask again.
  func leaveLine(_ request: LeaseRequest) async throws
  /// What is held of this type by this owner; nil when the pools cannot say.
  func held(by owner: String, type: String) async throws -> [LeasedResource]?
  /// Says that it is still held.
  func beat(_ resource: LeasedResource, owner: String) async throws
  /// Hands a resource back.
  func release(_ name: String, type: String, to state: String, owner: String) async throws
}

/// What somebody asks a pool for. Asking again with the same owner and id gets the same lease.
public struct LeaseRequest: Sendable, Hashable {
  public var type: String
  public var state: String
  /// The state that it is in from then on.
  public var heldState: String
  public var owner: String
  /// Keeps the place in line from one question to the next.
  public var id: String
}

public enum LeaseAnswer: Sendable, Hashable {
  case leased(LeasedResource)
  /// There is none now; with how many are served before, if that is known.
  case waiting(before: Int?)
}

/// A resource that is held.
public struct LeasedResource: Codable, Sendable, Hashable {
  public var type: String
  public var name: String
  public var state: String
  /// Secret: never logged, never in the output of a task. Nil when the pools do not tell it any more.
  public var userData: [String: String]?

  public init(type: String, name: String, state: String, userData: [String: String]?) {
    self.type = type
    self.name = name
    self.state = state
    self.userData = userData
  }
}

/// Why a pool refuses, for good.
public enum LeaseFault: Error, Sendable, Hashable {
  /// There is no such type; those that there are, as far as that is known.
  case typeUnknown(known: [String])
  /// The resource is not there any more, or somebody else's, or in another state; in the pool's words.
  case notHeld(String)
  /// The pools do not let this server do that.
  case refused(String)
}
