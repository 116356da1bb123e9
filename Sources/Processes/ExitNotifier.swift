import CLinux
import Formats
import Glibc
public import Surroundings

/// Tells when processes end, also foreign ones, by pidfds watched on one thread.
public enum ExitNotifier {
  /// Returns when this very process has ended; at once when it has already.
  ///
  /// - Throws: `CancellationError` when the task is cancelled meanwhile.
  public static func waitForExit(of process: ProcessIdentity) async throws {
    let fd = drover_pidfd_open(Int32(clamping: process.pid))
    guard fd >= 0 else { return try await poll(process) }
    defer { close(fd) }
    // A process whose first thread has ended may still have others: the descriptor knows, /proc does not.
    guard process.bootID == ProcessIdentity.currentBootID,
      ProcessStat.read(pid: process.pid)?.startTicks == process.startTicks
    else { return }
    try await Readiness.shared.wait(fd)
  }

  /// For kernels that have no pidfds.
  private static func poll(_ process: ProcessIdentity) async throws {
    while process.isAlive { try await Surroundings.system.sleep(.milliseconds(100)) }
  }
}

extension ProcessIdentity {
  /// Returns when this very process has ended; see ``ExitNotifier``.
  public func waitForExit() async throws { try await ExitNotifier.waitForExit(of: self) }

  /// Waits at most so long. Returns whether it has ended.
  public func waitForExit(atMost limit: Duration, in surroundings: Surroundings = .system) async throws -> Bool {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await waitForExit()
        return true
      }
      group.addTask {
        try await surroundings.sleep(limit)
        return false
      }
      defer { group.cancelAll() }
      return try await group.next() ?? !isAlive
    }
  }
}
