/// One thing that is done to the machine before the agent listens. Plans are lists of them, made without touching it.
enum MachineStep: Sendable, Hashable {
  /// Runs a program of the stemcell if it is there.
  case runIfPresent(String, mayFail: Bool)
  case run([String], mayFail: Bool)
  case setHostName(String)
  case write(String, text: String, mode: UInt32)
  case remove(String)
  /// A link at the path that leads to the target.
  case link(String, target: String)
  /// A folder of root and group vcap.
  case folder(String, mode: UInt32)
  /// Mounts a tmpfs unless something is mounted there.
  case tmpfs(String, size: String, mode: UInt32)
  /// Shows one folder in the place of another unless something is mounted there.
  case bind(String, on: String)
  /// Mounts a block device unless something is mounted there.
  case mount(String, on: String)
  /// Forbids devices and set-user-id programs below a mount point, and programs altogether if `noExec`.
  case restrict(String, noExec: Bool)
  /// Waits until there is something at a path.
  case waitFor(String)
  /// Starts the machine again; nothing follows.
  case restartMachine(reason: String)
  /// Something that this agent does not do, for the log.
  case note(String)
}
