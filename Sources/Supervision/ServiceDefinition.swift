/// A service that a control file describes: mostly a process with a pidfile.
public struct ServiceDefinition: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case process(pidfile: String)
    case file(path: String)
    case device(path: String)
    case host(address: String)
  }

  public var name: String
  public var kind: Kind
  public var start: ServiceProgram?
  public var stop: ServiceProgram?
  public var groups: [String]
  /// The names of services that must run before this one is started.
  public var dependencies: [String]
  public var tests: [ServiceTest]
  /// Where it is written.
  public var place: String

  public init(
    name: String, kind: Kind, start: ServiceProgram? = nil, stop: ServiceProgram? = nil, groups: [String] = [],
    dependencies: [String] = [], tests: [ServiceTest] = [], place: String = ""
  ) {
    self.name = name
    self.kind = kind
    self.start = start
    self.stop = stop
    self.groups = groups
    self.dependencies = dependencies
    self.tests = tests
    self.place = place
  }

  /// The group that a BOSH agent manages; services outside of it are left alone.
  public var isManaged: Bool { groups.contains("vcap") }
}

/// A program that starts or stops a service. It is executed directly, without a shell.
public struct ServiceProgram: Sendable, Hashable {
  public var arguments: [String]
  /// How long the service may take to be there, or to be gone. monit's default is 30 s.
  public var timeout: Duration
  /// User and group to run it as, by name or number.
  public var user: String?
  public var group: String?

  public init(_ arguments: [String], timeout: Duration = .seconds(30), user: String? = nil, group: String? = nil) {
    self.arguments = arguments
    self.timeout = timeout
    self.user = user
    self.group = group
  }
}

/// An `if … then …` of a control file.
public struct ServiceTest: Sendable, Hashable {
  public enum Comparison: String, Sendable, Hashable, CaseIterable {
    case greater = ">"
    case less = "<"
    case equal = "="
    case notEqual = "!="
    case greaterOrEqual = ">="
    case lessOrEqual = "<="
  }

  /// What a limit is measured in; sizes are kept in bytes.
  public enum Unit: String, Sendable, Hashable { case none, percent, bytes }

  public enum Condition: Sendable, Hashable {
    /// `totalmem`, `mem`, `cpu`, `space`, `inode`, … beyond a limit.
    case resource(name: String, Comparison, Double, Unit)
    /// That many restarts within the window's cycles.
    case restarts
    /// A connection that cannot be made, or that answers wrongly.
    case connection(Connection)
    /// `changed timestamp`.
    case changedTimestamp
  }

  /// Where and how to connect.
  public struct Connection: Sendable, Hashable {
    public enum Target: Sendable, Hashable {
      case tcp(host: String, port: Int)
      case unixSocket(path: String)
    }
    public var target: Target
    /// `http`, …; nil is connecting alone.
    public var protocolName: String?
    /// The path that is asked for by HTTP.
    public var request: String?
    public var timeout: Duration
  }

  public enum Action: Sendable, Hashable {
    case alert, restart, start, stop, unmonitor
    case exec([String])
  }

  public var condition: Condition
  /// Fires when the condition holds `count` times within `cycles` cycles.
  public var count: Int
  public var cycles: Int
  public var action: Action
  public var recovery: Action?
  public var line: Int
}
