public import Surroundings

/// What is known of a service, in monit's terms (`reference/agent.md 14`).
public struct ServiceStatus: Sendable, Hashable {
  /// monit's `monitor` number.
  public enum Monitoring: Int, Sendable, Hashable { case no = 0, yes = 1, starting = 2 }

  public var name: String
  public var kind: ServiceDefinition.Kind
  public var groups: [String]
  public var monitoring: Monitoring
  /// Everything that is wrong, in the order in which monit would name it; none is well.
  public var failures: [ServiceFailure]
  /// A start or stop is being carried out.
  public var isPending: Bool
  /// What somebody asked for and is not done yet.
  public var pendingAction: ServiceAction?
  public var pid: Int?
  /// Nil when it does not run.
  public var usage: ServiceUsage?
  /// How long the connections of its tests took, where they could be made.
  public var connections: [ServiceConnectionTime] = []
  /// When it was last looked at.
  public var collected: Timestamp?

  public init(
    name: String, kind: ServiceDefinition.Kind, groups: [String], monitoring: Monitoring,
    failures: [ServiceFailure] = [], isPending: Bool = false, pendingAction: ServiceAction? = nil
  ) {
    self.name = name
    self.kind = kind
    self.groups = groups
    self.monitoring = monitoring
    self.failures = failures.sorted { $0.event.kind.rank < $1.event.kind.rank }
    self.isPending = isPending
    self.pendingAction = pendingAction
  }

  /// The failure that is named when only one is.
  public var failure: ServiceFailure? { failures.first }

  /// monit's `status`: the bits of all that is wrong; 0 is well.
  public var bits: Int { failures.reduce(0) { $0 | $1.event.kind.rawValue } }

  /// The state as the agent reports it per process.
  public enum State: String, Sendable, Hashable { case running, failing, starting, unknown }

  public var state: State {
    switch monitoring {
    case .no: .unknown
    case .starting: .starting
    case .yes: failures.isEmpty ? .running : .failing
    }
  }
}

/// What can be asked for a service. The numbers are monit's.
public enum ServiceAction: String, Sendable, Hashable, CaseIterable {
  case start, stop, restart, monitor, unmonitor

  public var number: Int {
    switch self {
    case .restart: 2
    case .stop: 3
    case .unmonitor: 5
    case .start: 6
    case .monitor: 7
    }
  }
}

/// What a service's processes use.
public struct ServiceUsage: Sendable, Hashable {
  public var parent: Int
  public var uptime: Duration
  /// How many processes are below it.
  public var children: Int
  /// Of the process itself.
  public var ownMemoryKilobytes: Int
  public var ownMemoryPercent: Double
  public var ownCPUPercent: Double
  /// Of the process and all below it, in KiB and in percent of the VM's memory.
  public var memoryKilobytes: Int
  public var memoryPercent: Double
  /// Since the last look, in percent of all CPUs.
  public var cpuPercent: Double
}

/// How long a connection took that a test makes.
public struct ServiceConnectionTime: Sendable, Hashable {
  public var connection: ServiceTest.Connection
  /// Nil when it could not be made.
  public var time: Duration?
}

/// What is wrong with a service.
public struct ServiceFailure: Sendable, Hashable {
  public var event: ServiceEvent
  public var message: String

  public init(_ event: ServiceEvent, _ message: String) {
    self.event = event
    self.message = message
  }
}

/// The state of a VM's jobs as a whole (`reference/agent.md 14`).
public enum JobState: String, Sendable, Hashable, CaseIterable {
  case running, failing, starting, stopped, unknown

  /// - Parameter isStopped: whether the operator has stopped the jobs.
  public static func of(_ services: [ServiceStatus], isStopped: Bool) -> JobState {
    if isStopped { return .stopped }
    if services.contains(where: { $0.state == .starting }) { return .starting }
    return services.allSatisfy { $0.state == .running } ? .running : .failing
  }
}

/// Something that happened to a service, as monit mails it.
public struct ServiceAlert: Sendable, Hashable {
  public var service: String
  public var event: ServiceEvent
  public var action: Action
  public var description: String
  public var date: Timestamp

  public enum Action: String, Sendable, Hashable { case alert, restart, start, stop, exec, unmonitor, monitor }

  public init(service: String, event: ServiceEvent, action: Action, description: String, date: Timestamp) {
    self.service = service
    self.event = event
    self.action = action
    self.description = description
    self.date = date
  }
}
