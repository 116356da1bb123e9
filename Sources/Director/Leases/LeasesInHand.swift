import Formats
import Releases
import Surroundings
import Synchronization

/// What a run of an errand holds while it works: its leases, and the wish to end it when one of them is lost.
final class LeasesInHand: Sendable {
  struct Lease: Codable, Sendable {
    var want: ErrandLease
    var owner: String
    var resource: LeasedResource
  }

  /// Asked for when somebody wants the task's end, when a lease is lost, and when they are given up unused.
  let cancellation: Cancellation
  private let taken = Mutex<[Lease]>([])
  private let lostText = Mutex<String?>(nil)
  private enum Use { case none, begun, givenUp }
  private let use = Mutex(Use.none)

  init(cancellation: Cancellation) { self.cancellation = cancellation }

  var leases: [Lease] { taken.withLock { $0 } }
  func add(_ lease: Lease) { taken.withLock { $0.append(lease) } }

  /// Why a lease was lost; nil while all are held.
  var lost: String? { lostText.withLock { $0 } }

  /// Whether they are to be handed back unused, and leased again.
  var isGivenUp: Bool { use.withLock { $0 == .givenUp } }

  /// Gives them up, unless something was begun with them.
  func giveUp() {
    let isUnused = use.withLock { use in
      if use == .none { use = .givenUp }
      return use == .givenUp
    }
    if isUnused { cancellation.request() }
  }

  /// From here on they are not given up any more.
  ///
  /// - Throws: ``TaskCancelled`` when they were, one was lost, or somebody wants the task's end.
  func begin() throws {
    use.withLock { use in if use == .none { use = .begun } }
    try cancellation.check()
    if isGivenUp { throw TaskCancelled() }
  }

  /// Whether this is the first that was lost.
  func lose(_ text: String) -> Bool {
    let isFirst = lostText.withLock { lost in
      defer { lost = lost ?? text }
      return lost == nil
    }
    cancellation.request()
    return isFirst
  }

  /// `spec.leases` of templates; nil without leases.
  var spec: Value? { Self.spec(leases.map { ($0.want, $0.resource) }) }

  /// What templates see of leases that are not taken yet, for those who compare rendered templates.
  static func placeholder(_ wants: [ErrandLease]) -> Value? {
    spec(wants.map { ($0, LeasedResource(type: $0.type, name: "", state: $0.heldState, userData: [:])) })
  }

  private static func spec(_ leases: [(want: ErrandLease, resource: LeasedResource)]) -> Value? {
    guard !leases.isEmpty else { return nil }
    var spec = ValueObject()
    for (want, resource) in leases {
      let data = (resource.userData ?? [:]).sorted { $0.key < $1.key }.map { ($0.key, Value.string($0.value)) }
      spec[want.name] = [
        "type": .string(resource.type), "name": .string(resource.name), "user_data": .object(ValueObject(data)),
      ]
    }
    return .object(spec)
  }

  /// Longer values no program can be started with.
  static let longestValue = 100 << 10

  /// The script's variables: of each lease `DROVER_LEASE_AS_NAME`, `_TYPE`, `_STATE`, `_OWNER`, and the user data as
  /// `DROVER_LEASE_AS_DATA_KEY`; of an only one also those that `drover lease` gives, without `AS`.
  var variables: [String: String] {
    var variables: [String: String] = [:]
    for lease in leases {
      let data = lease.resource.userData ?? [:]
      let own = Self.variables(lease.want.variablePrefix, lease.resource, owner: lease.owner, data)
      variables.merge(own) { $1 }
      if leases.count == 1 {
        variables.merge(Self.variables("DROVER_LEASE", lease.resource, owner: lease.owner, data)) { mine, _ in mine }
      }
    }
    return variables
  }

  static func variables(
    _ prefix: String, _ resource: LeasedResource, owner: String, _ data: [String: String]
  ) -> [String: String] {
    var variables = [
      "\(prefix)_NAME": resource.name, "\(prefix)_TYPE": resource.type, "\(prefix)_STATE": resource.state,
      "\(prefix)_OWNER": owner,
    ]
    for (key, value) in data where !value.utf8.contains(0) && value.utf8.count <= longestValue {
      variables["\(prefix)_DATA_\(ErrandLease.variableName(key))"] = value
    }
    return variables
  }
}
