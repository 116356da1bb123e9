/// A service that a control file describes: mostly a process with a pidfile, else something that is looked at.
public struct ServiceDefinition: Sendable, Hashable {
  public enum Kind: Sendable, Hashable {
    case process(pidfile: String)
    /// A process that is known by its command line, which a POSIX extended regular expression describes.
    case processMatching(pattern: String)
    case file(path: String)
    case directory(path: String)
    /// A filesystem, by a path on it or its block device.
    case device(path: String)
    case host(address: String)
    /// The machine itself.
    case system

    public var isProcess: Bool {
      switch self {
      case .process, .processMatching: true
      case .file, .directory, .device, .host, .system: false
      }
    }
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

  /// Whether a check may start it again: monit wants to be able to stop it, too.
  var restartsByItself: Bool { start != nil && stop != nil }
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
