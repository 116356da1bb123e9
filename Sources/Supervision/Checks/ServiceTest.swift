/// An `if … then …` of a control file.
public struct ServiceTest: Sendable, Hashable {
  public enum Comparison: String, Sendable, Hashable, CaseIterable {
    case greater = ">"
    case less = "<"
    case equal = "="
    case notEqual = "!="
    case greaterOrEqual = ">="
    case lessOrEqual = "<="

    func holds(_ left: Double, _ right: Double) -> Bool {
      switch self {
      case .greater: left > right
      case .less: left < right
      case .equal: left == right
      case .notEqual: left != right
      case .greaterOrEqual: left >= right
      case .lessOrEqual: left <= right
      }
    }
  }

  /// What a limit is measured in; sizes are kept in bytes.
  public enum Unit: String, Sendable, Hashable { case none, percent, bytes }

  /// What has a limit. The raw value is how it is called in messages.
  public enum Resource: String, Sendable, Hashable, CaseIterable {
    case cpu = "cpu usage"
    case totalCPU = "total cpu usage"
    case memory = "mem"
    case totalMemory = "total mem"
    case children
    case load1 = "loadavg(1min)"
    case load5 = "loadavg(5min)"
    case load15 = "loadavg(15min)"
    case userCPU = "cpu user usage"
    case systemCPU = "cpu system usage"
    case waitCPU = "cpu wait usage"
    case swap
    case space = "space usage"
    case inodes = "inode usage"
    case size
    /// How old a file is, in seconds.
    case age = "timestamp"
  }

  /// What of a file should stay as it is.
  public enum Property: String, Sendable, Hashable, CaseIterable { case timestamp, size, checksum }

  public enum Condition: Sendable, Hashable {
    /// Beyond a limit.
    case resource(Resource, Comparison, Double, Unit)
    /// That many restarts within the window's cycles.
    case restarts
    /// A connection that cannot be made, or that answers wrongly.
    case connection(Connection)
    /// Something of a file is not as it was at the last look.
    case changed(Property)
    /// The SHA-1 of a file is not this one.
    case checksum(expected: String)
    /// The permission bits of a file are not these.
    case permission(Int)
    /// The owner or group of a file is not this one, by name or number.
    case user(String)
    case group(String)
  }

  /// Where and how to connect.
  public struct Connection: Sendable, Hashable {
    public enum Target: Sendable, Hashable {
      case tcp(host: String, port: Int)
      case udp(host: String, port: Int)
      case unixSocket(path: String)
    }
    /// A turn of a conversation in a protocol of its own.
    public enum Turn: Sendable, Hashable {
      case send([UInt8])
      /// A POSIX extended regular expression that the answer matches.
      case expect(pattern: String)
    }
    public var target: Target
    /// What is asked over HTTP; nil is connecting alone.
    public var http: HTTPRequest?
    /// What is said by turns instead.
    public var conversation: [Turn]
    public var timeout: Duration

    public init(
      target: Target, http: HTTPRequest? = nil, conversation: [Turn] = [], timeout: Duration = .seconds(5)
    ) {
      self.target = target
      self.http = http
      self.conversation = conversation
      self.timeout = timeout
    }
  }

  public struct HTTPRequest: Sendable, Hashable {
    public var path: String
    /// Instead of the host that is connected to.
    public var hostHeader: String?

    public init(path: String = "/", hostHeader: String? = nil) {
      self.path = path
      self.hostHeader = hostHeader
    }
  }

  public enum Action: Sendable, Hashable {
    case alert, restart, start, stop, unmonitor
    case exec(ServiceProgram)

    var alert: ServiceAlert.Action {
      switch self {
      case .alert: .alert
      case .restart: .restart
      case .start: .start
      case .stop: .stop
      case .unmonitor: .unmonitor
      case .exec: .exec
      }
    }
  }

  /// `count` of the last `cycles` cycles.
  public struct Window: Sendable, Hashable {
    public var count: Int
    public var cycles: Int

    public init(count: Int = 1, cycles: Int = 1) {
      self.count = count
      self.cycles = cycles
    }

    /// Whether enough of the latest bits (the lowest is the last cycle) are as wanted.
    func isFilled(by history: UInt64, with bit: UInt64) -> Bool {
      (0..<UInt64(cycles)).count { history >> $0 & 1 == bit } >= count
    }
  }

  public var condition: Condition
  /// Fires when the condition holds that often.
  public var window = Window()
  public var action: Action
  /// What is done when it holds no longer, and has not done so for that window.
  public var recovery: Action?
  public var recoveryWindow = Window()
  public var line: Int

  public init(_ condition: Condition, action: Action = .alert, line: Int) {
    self.condition = condition
    self.action = action
    self.line = line
  }

  /// What is said when it fires.
  var event: ServiceEvent {
    switch condition {
    case .resource(.size, _, _, _): ServiceEvent(.size, .failed)
    case .resource(.age, _, _, _): ServiceEvent(.timestamp, .failed)
    case .resource: ServiceEvent(.resource, .failed)
    case .restarts: ServiceEvent(.timeout, .failed)
    case .connection: ServiceEvent(.connection, .failed)
    case .changed(.timestamp): ServiceEvent(.timestamp, .changed)
    case .changed(.size): ServiceEvent(.size, .changed)
    case .changed(.checksum): ServiceEvent(.checksum, .changed)
    case .checksum: ServiceEvent(.checksum, .failed)
    case .permission: ServiceEvent(.permission, .failed)
    case .user: ServiceEvent(.user, .failed)
    case .group: ServiceEvent(.group, .failed)
    }
  }

  /// What is said when it holds no longer.
  var recoveryEvent: ServiceEvent { ServiceEvent(event.kind, event.turn == .changed ? .unchanged : .succeeded) }
}
