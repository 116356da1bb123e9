/// One VM of the runc cloud as it is now.
public struct VMStatus: Sendable, Hashable {
  public enum State: String, Sendable, Hashable {
    /// It runs.
    case running
    /// It was stopped with the server and will be started by ``RuncCloud/recover()``.
    case stopped
    /// It should run and does not.
    case failed
    /// It is being made or deleted, or that was interrupted.
    case unfinished
  }

  public var id: String
  public var agentID: String
  public var state: State
  /// Addresses in the order of its networks.
  public var addresses: [String]
  /// Process id of its PID 1 on the host; nil when it does not run.
  public var pid: Int?
  /// Bytes in use as its cgroup counts them; nil when it does not run.
  public var memory: Int?
  /// Ids of the disks that are attached.
  public var disks: [String]
}
