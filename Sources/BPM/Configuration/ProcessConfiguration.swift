/// A process of a job as its bpm.yml describes it (docs/bpm.md).
public struct ProcessConfiguration: Sendable, Hashable {
  public var name = ""
  public var executable = ""
  public var arguments: [String] = []
  public var environment: [String: String] = [:]
  /// Empty: the job's folder.
  public var workingDirectory = ""
  /// What runs on the host before the container; the empty text for `hooks` without it, nil for no `hooks`.
  public var preStartHook: String?
  /// Without `CAP_`.
  public var capabilities: [String] = []
  public var limits = Limits()
  public var ephemeralDisk = false
  public var persistentDisk = false
  public var volumes: [Volume] = []
  public var unsafe = Unsafe()
  /// `TERM`, `INT`, or empty for `TERM`.
  public var shutdownSignal = ""

  // What the original does not have. All of it is off by default.
  /// How long it may take to end after the signal; nil for 15 seconds.
  public var shutdownTimeout: Duration?
  public var devices: [Device] = []
  /// Whether programs in the temporary folders may be executed.
  public var executableTemporaryFolders = false
  /// Whether it sees the host's `/dev/log`.
  public var syslog = false

  /// Where it begins in the file, from 1.
  public var line = 0
  /// Where its keys are, by their path below the process, such as `limits.memory` or `args[0]`.
  public var lines: [String: Int] = [:]

  public init(name: String = "", executable: String = "") {
    self.name = name
    self.executable = executable
  }

  public struct Limits: Sendable, Hashable {
    /// As written, such as `1.5G`.
    public var memory: String?
    public var openFiles: UInt64?
    public var processes: Int64?
    /// Bytes.
    public var coreFileSize: UInt64?
    /// Weight against other containers; the kernel's default is 1024. Not in the original.
    public var cpuShares: UInt64?
    /// How many CPUs' time it gets, such as 0.5. Not in the original.
    public var cpuQuota: Double?
  }

  public struct Volume: Sendable, Hashable {
    public var path: String
    public var isWritable = false
    public var allowsExecutions = false
    /// Neither made nor given to vcap.
    public var isMountOnly = false
    public var isShared = false

    public init(_ path: String) { self.path = path }
  }

  public struct Unsafe: Sendable, Hashable {
    public var isPrivileged = false
    public var unrestrictedVolumes: [Volume] = []
    public var usesHostProcesses = false
  }

  /// A device of the host. Not in the original.
  public struct Device: Sendable, Hashable {
    public var path: String
    /// Any of `r`, `w` and `m`.
    public var permissions: String
  }

  /// A place in the file, for people.
  func place(_ key: String) -> String {
    let line = lines[key] ?? self.line
    return "process \(name.isEmpty ? "without a name" : name), key \(key)" + (line > 0 ? ", line \(line)" : "")
  }
}
