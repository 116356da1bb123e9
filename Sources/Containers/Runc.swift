/// The runc executable: what to run for each of its commands, and what its answers mean.
///
/// Arguments are made by pure functions (``Command``); who runs them comes in from outside.
public struct Runc: Sendable {
  /// Runs the executable with these arguments and waits for it.
  public typealias Runner = @Sendable (_ invocation: Invocation) async throws -> Outcome

  /// One run of the executable.
  public struct Invocation: Sendable, Hashable {
    public var executable: String
    public var arguments: [String]
    /// A file to which the container's stdout and stderr are appended. A detached container keeps its descriptors, so
    /// they must not be pipes of the caller. Nil means that output is to be captured.
    public var output: String?

    public init(executable: String, arguments: [String], output: String? = nil) {
      self.executable = executable
      self.arguments = arguments
      self.output = output
    }
  }

  /// How a run ended.
  public struct Outcome: Sendable, Hashable {
    /// The exit status; 128 + signal for a run that a signal ended.
    public var status: Int
    /// Empty when output went to a file.
    public var standardOutput: [UInt8]
    public var standardError: [UInt8]

    public init(status: Int, standardOutput: [UInt8] = [], standardError: [UInt8] = []) {
      self.status = status
      self.standardOutput = standardOutput
      self.standardError = standardError
    }
  }

  /// The executable's name or path.
  public let executable: String
  /// Where runc keeps the state of containers (`--root`).
  public let root: String
  /// Whether systemd manages the cgroups (`--systemd-cgroup`).
  public let systemdCgroup: Bool
  let run: Runner
  /// Reads and removes the log file of one run; nil when there is none.
  public let takeLog: @Sendable (_ path: String) -> [UInt8]?
  /// A path for the log file of one run.
  public let newLogPath: @Sendable () -> String

  /// - Parameters:
  ///   - newLogPath: a fresh path for the log of one run, in a directory that exists.
  ///   - takeLog: reads that file and removes it.
  public init(
    executable: String = "runc", root: String, systemdCgroup: Bool = false,
    newLogPath: @escaping @Sendable () -> String, takeLog: @escaping @Sendable (String) -> [UInt8]?,
    run: @escaping Runner
  ) {
    self.executable = executable
    self.root = root
    self.systemdCgroup = systemdCgroup
    self.newLogPath = newLogPath
    self.takeLog = takeLog
    self.run = run
  }
}
