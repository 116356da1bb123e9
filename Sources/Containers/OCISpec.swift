/// An OCI runtime specification (config.json) as far as Drover says something in it.
///
/// Values only; ``encoded()`` writes them. Fields are named as in the OCI runtime spec 1.0.2, which runc 1.1 reads.
public struct OCISpec: Sendable, Hashable {
  public var process: Process
  public var root: Root
  public var hostname: String?
  public var mounts: [Mount]
  public var hooks: Hooks
  public var annotations: [String: String]
  public var linux: Linux
  public var version = "1.0.2"

  public init(
    process: Process, root: Root, hostname: String? = nil, mounts: [Mount] = [], hooks: Hooks = Hooks(),
    annotations: [String: String] = [:], linux: Linux = Linux()
  ) {
    self.process = process
    self.root = root
    self.hostname = hostname
    self.mounts = mounts
    self.hooks = hooks
    self.annotations = annotations
    self.linux = linux
  }

  public struct Root: Sendable, Hashable {
    public var path: String
    public var isReadonly: Bool

    public init(path: String, isReadonly: Bool = false) {
      self.path = path
      self.isReadonly = isReadonly
    }
  }

  public struct Process: Sendable, Hashable {
    public var arguments: [String]
    /// `NAME=value`, in order.
    public var environment: [String]
    public var directory: String
    public var user: User
    public var terminal: Bool
    public var noNewPrivileges: Bool
    public var capabilities: Capabilities?
    public var resourceLimits: [ResourceLimit]
    public var oomScoreAdjustment: Int?

    public init(
      arguments: [String], environment: [String] = [], directory: String = "/", user: User = User(),
      terminal: Bool = false, noNewPrivileges: Bool = false, capabilities: Capabilities? = nil,
      resourceLimits: [ResourceLimit] = [], oomScoreAdjustment: Int? = nil
    ) {
      self.arguments = arguments
      self.environment = environment
      self.directory = directory
      self.user = user
      self.terminal = terminal
      self.noNewPrivileges = noNewPrivileges
      self.capabilities = capabilities
      self.resourceLimits = resourceLimits
      self.oomScoreAdjustment = oomScoreAdjustment
    }
  }

  public struct User: Sendable, Hashable {
    public var uid: Int
    public var gid: Int
    public var additionalGroups: [Int]
    public var name: String?

    public init(uid: Int = 0, gid: Int = 0, additionalGroups: [Int] = [], name: String? = nil) {
      self.uid = uid
      self.gid = gid
      self.additionalGroups = additionalGroups
      self.name = name
    }
  }

  /// Capability names with their `CAP_` prefix, per set.
  public struct Capabilities: Sendable, Hashable {
    public var bounding: [String]
    public var effective: [String]
    public var inheritable: [String]
    public var permitted: [String]
    public var ambient: [String]

    public init(
      bounding: [String] = [], effective: [String] = [], inheritable: [String] = [], permitted: [String] = [],
      ambient: [String] = []
    ) {
      self.bounding = bounding
      self.effective = effective
      self.inheritable = inheritable
      self.permitted = permitted
      self.ambient = ambient
    }
  }

  public struct ResourceLimit: Sendable, Hashable {
    /// Such as `RLIMIT_NOFILE`.
    public var type: String
    public var soft: UInt64
    public var hard: UInt64

    public init(type: String, soft: UInt64, hard: UInt64) {
      self.type = type
      self.soft = soft
      self.hard = hard
    }
  }

  public struct Mount: Sendable, Hashable {
    public var destination: String
    public var type: String
    public var source: String
    public var options: [String]

    public init(destination: String, type: String, source: String, options: [String] = []) {
      self.destination = destination
      self.type = type
      self.source = source
      self.options = options
    }
  }

  public struct Hook: Sendable, Hashable {
    public var path: String
    /// With the program's name first.
    public var arguments: [String]
    public var environment: [String]
    public var timeoutSeconds: Int?

    public init(path: String, arguments: [String], environment: [String] = [], timeoutSeconds: Int? = nil) {
      self.path = path
      self.arguments = arguments
      self.environment = environment
      self.timeoutSeconds = timeoutSeconds
    }
  }

  public struct Hooks: Sendable, Hashable {
    public var createRuntime: [Hook]
    public var createContainer: [Hook]
    public var startContainer: [Hook]
    public var poststart: [Hook]
    public var poststop: [Hook]

    public init(
      createRuntime: [Hook] = [], createContainer: [Hook] = [], startContainer: [Hook] = [], poststart: [Hook] = [],
      poststop: [Hook] = []
    ) {
      self.createRuntime = createRuntime
      self.createContainer = createContainer
      self.startContainer = startContainer
      self.poststart = poststart
      self.poststop = poststop
    }
  }
}
