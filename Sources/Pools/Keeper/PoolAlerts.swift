import GoConventions
import Logging
import PoolsProtocol
import Surroundings

/// Decides when somebody is to be told that a type has too little: once when it begins, once when it is over.
struct PoolAlerts: Sendable {
  private var low: Set<String> = []
  private var waiting: Set<String> = []

  func isLow(_ type: String) -> Bool { low.contains(type) }
  func isWaiting(_ type: String) -> Bool { waiting.contains(type) }

  /// - Parameters:
  ///   - free: how many are free now.
  ///   - longest: how long somebody has been waiting, the one who has the longest; nil when nobody waits.
  /// - Returns: what has begun or is over.
  mutating func look(_ type: String, _ policy: TypePolicy, free: Int, longest: Duration?) -> [PoolEvent.Kind] {
    var kinds: [PoolEvent.Kind] = []
    if let below = policy.alertBelow {
      if free < below, low.insert(type).inserted { kinds.append(.poolLow) }
      if free >= below, low.remove(type) != nil { kinds.append(.poolRecovered) }
    }
    if let limit = policy.alertWaiting {
      let isLong = longest.map { $0 > limit } ?? false
      if isLong, waiting.insert(type).inserted { kinds.append(.waitingLong) }
      if !isLong, waiting.remove(type) != nil { kinds.append(.waitingRecovered) }
    }
    return kinds
  }

  /// Types of which nothing is wanted any more are forgotten.
  mutating func keep(_ policies: [String: TypePolicy]) {
    low = low.filter { policies[$0]?.alertBelow != nil }
    waiting = waiting.filter { policies[$0]?.alertWaiting != nil }
  }
}

/// The alerts of a type: nil for what is not watched.
public struct PoolAlertState: Sendable, Hashable {
  public var type: String
  public var isLow: Bool?
  public var isWaiting: Bool?
}

extension PoolKeeper {
  /// Looks whether types with alerts have too little.
  func watchPools() {
    alerts.keep(policies)
    for (type, policy) in policies where policy.hasAlerts {
      let free = engine.table.types[type]?.pools[ResourceState.free]?.unowned.count ?? 0
      let longest = policy.alertWaiting == nil ? nil : longestWait(type)
      for kind in alerts.look(type, policy, free: free, longest: longest) { tell(kind, type, policy, free, longest) }
    }
  }

  private func longestWait(_ type: String) -> Duration? {
    let now = surroundings.now()
    var longest: Duration?
    for key in Array(engine.queues.keys) where key.type == type {
      engine.queues[key]?.expire(now)
      if let first = engine.queues[key]?.firstLive { longest = max(longest ?? .zero, now - first.createdAt) }
    }
    return longest
  }

  private func tell(_ kind: PoolEvent.Kind, _ type: String, _ policy: TypePolicy, _ free: Int, _ longest: Duration?) {
    let message =
      switch kind {
      case .poolLow, .poolRecovered: "\(free) free, and at least \(policy.alertBelow ?? 0) are wanted"
      case .waitingLong: "somebody has been waiting for \(GoDuration.text(longest ?? .zero))"
      default: ""
      }
    let metadata: Logger.Metadata = ["type": "\(type)", "event": "\(kind.rawValue)", "message": "\(message)"]
    switch kind {
    case .poolLow, .waitingLong: logger.warning("the pool runs dry", metadata: metadata)
    default: logger.notice("the pool has recovered", metadata: metadata)
    }
    note(kind, type: type, message: message)
  }

  /// The alerts of all types that have some.
  public var alertStates: [PoolAlertState] {
    policies.filter(\.value.hasAlerts).sorted { $0.key < $1.key }.map { type, policy in
      PoolAlertState(
        type: type, isLow: policy.alertBelow == nil ? nil : alerts.isLow(type),
        isWaiting: policy.alertWaiting == nil ? nil : alerts.isWaiting(type))
    }
  }
}
