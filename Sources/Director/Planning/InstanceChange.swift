/// What has to be done with an instance, and why.
public enum InstanceChange: Sendable, Hashable {
  /// Why something has to be done (`reference/director.md C.2`).
  public enum Reason: String, Sendable, Hashable, Comparable, CaseIterable {
    /// The last update did not go through.
    case dirty
    case cloudProperties = "cloud_properties"
    case configuration
    case env
    case job
    case network
    case packages
    case persistentDisk = "persistent_disk"
    /// Somebody asked for it.
    case recreate
    case restart
    case state
    case stemcell
    case tags
    /// The agent does not answer.
    case unresponsive

    public static func < (left: Reason, right: Reason) -> Bool { left.rawValue < right.rawValue }
  }

  /// All is as it should be.
  case none
  /// There is no VM yet, or no more.
  case create
  /// The VM stays.
  case update(Set<Reason>)
  /// The VM is replaced.
  case recreate(Set<Reason>)
  /// The instance has to go.
  case delete

  public var isNone: Bool { self == .none }

  public var reasons: [Reason] {
    switch self {
    case .update(let reasons), .recreate(let reasons): reasons.sorted()
    default: []
    }
  }

  /// The word for it in documents.
  public var word: String {
    switch self {
    case .none: "none"
    case .create: "create"
    case .update: "update"
    case .recreate: "recreate"
    case .delete: "delete"
    }
  }
}
