/// What is wanted of a type beyond what Boskos knows: who is taken back from when, who cleans and builds, and when
/// somebody is to be told that there is too little. Each part is nil when nothing is said of it.
public struct TypePolicy: Sendable, Hashable {
  public var reaping: ReapingPolicy?
  public var janitor: ServiceProgram?
  public var mason: ServiceProgram?
  /// Too few are free when there are fewer than this.
  public var alertBelow: Int?
  /// Somebody waits too long who waits longer than this.
  public var alertWaiting: Duration?

  public init() {}

  var hasAlerts: Bool { alertBelow != nil || alertWaiting != nil }

  /// What another entry of the same type says goes over this.
  func overlaid(by later: TypePolicy) -> TypePolicy {
    var policy = self
    policy.reaping = later.reaping ?? reaping
    policy.janitor = later.janitor ?? janitor
    policy.mason = later.mason ?? mason
    policy.alertBelow = later.alertBelow ?? alertBelow
    policy.alertWaiting = later.alertWaiting ?? alertWaiting
    return policy
  }
}

/// After how much silence leases are taken back, by the state that they are in.
public struct ReapingPolicy: Sendable, Hashable {
  /// The states that are reaped where nothing else is said.
  public static let usualStates = ["busy", "cleaning", "leased"]
  /// Leases in this state are for somebody who looks at what went wrong, and are left alone unless it is named.
  public static let keep = "keep"

  /// For the usual states; nil leaves them alone.
  public var usual: Duration?
  /// For states that are named; nil leaves a state alone.
  public var states: [String: Duration?]
  /// For every other state but `keep`; nil leaves them alone.
  public var others: Duration?

  public init(usual: Duration? = nil, states: [String: Duration?] = [:], others: Duration? = nil) {
    self.usual = usual
    self.states = states
    self.others = others
  }

  /// How long a lease in that state may be silent; nil for ever.
  public func expiry(_ state: String) -> Duration? {
    if let named = states[state] { return named }
    if Self.usualStates.contains(state), let usual { return usual }
    return state == Self.keep ? nil : others
  }

  /// The states to look at, when these are the ones that there are.
  public func states(among present: some Sequence<String>) -> [(state: String, expiry: Duration)] {
    Set(present).sorted().compactMap { state in expiry(state).map { (state, $0) } }
  }
}

/// An errand of a deployment that cleans or builds.
public struct ServiceErrand: Sendable, Hashable {
  public var deployment: String
  public var errand: String
  /// None leaves them to the deployment's manifest.
  public var arguments: [String]

  public init(deployment: String, errand: String, arguments: [String] = []) {
    self.deployment = deployment
    self.errand = errand
    self.arguments = arguments
  }
}

/// A program that cleans or builds, and how it is run.
public struct ServiceProgram: Sendable, Hashable {
  /// The program and its arguments; empty where an errand does it.
  public var command: [String]
  /// The errand that does it; nil where a command does.
  public var errand: ServiceErrand?
  /// Work that takes longer has failed; nil waits for ever.
  public var timeout: Duration?
  /// How often the server is told that the resource is still being worked on; nil is what the service has.
  public var heartbeat: Duration?
  /// After so many failures one after the other the resource is put aside; nil tries for ever.
  public var quarantineAfter: Int?
  /// The state of what is put aside; nil is `quarantine`.
  public var quarantineState: String?

  public init(
    command: [String] = [], errand: ServiceErrand? = nil, timeout: Duration? = nil, heartbeat: Duration? = nil,
    quarantineAfter: Int? = nil,
    quarantineState: String? = nil
  ) {
    self.command = command
    self.errand = errand
    self.timeout = timeout
    self.heartbeat = heartbeat
    self.quarantineAfter = quarantineAfter
    self.quarantineState = quarantineState
  }
}
