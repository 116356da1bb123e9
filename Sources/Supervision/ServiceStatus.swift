public import Surroundings

/// What is known of a service, in monit's terms (`reference/agent.md 14`).
public struct ServiceStatus: Sendable, Hashable {
  /// monit's `monitor` number.
  public enum Monitoring: Int, Sendable, Hashable { case no = 0, yes = 1, starting = 2 }

  public var name: String
  public var groups: [String]
  public var monitoring: Monitoring
  /// monit's `status` bitmap; 0 is well.
  public var failure: ServiceFailure?
  /// A start or stop is being carried out.
  public var isPending: Bool
  public var pid: Int?
  /// Nil when it does not run.
  public var usage: ServiceUsage?

  /// The state as the agent reports it per process.
  public enum State: String, Sendable, Hashable { case running, failing, starting, unknown }

  public var state: State {
    switch monitoring {
    case .no: .unknown
    case .starting: .starting
    case .yes: failure == nil ? .running : .failing
    }
  }
}

/// What a service's processes use.
public struct ServiceUsage: Sendable, Hashable {
  public var uptime: Duration
  /// Of the process and all below it, in KiB and in percent of the VM's memory.
  public var memoryKilobytes: Int
  public var memoryPercent: Double
  /// Since the last look, in percent of all CPUs.
  public var cpuPercent: Double
}

/// What is wrong with a service.
public struct ServiceFailure: Sendable, Hashable {
  /// The kinds that monit has bits for.
  public enum Kind: Int, Sendable, Hashable {
    case doesNotExist = 0x200
    case executionFailed = 0x1000
  }
  public var kind: Kind
  public var message: String

  public init(_ kind: Kind, _ message: String) {
    self.kind = kind
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
  public var event: Event
  public var action: Action
  public var description: String
  public var date: Timestamp

  public enum Event: String, Sendable, Hashable {
    case doesNotExist = "Does not exist"
    case exists = "Exists"
    case executionFailed = "Execution failed"
    case executionSucceeded = "Execution succeeded"
    case actionDone = "Action done"
  }

  public enum Action: String, Sendable, Hashable { case alert, restart, start, stop, unmonitor, monitor }
}
