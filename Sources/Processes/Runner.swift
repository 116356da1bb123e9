import CLinux

/// The small process that runs one script, waits for it and writes down how it ended, whatever becomes of the process
/// that asked for it (design D7).
///
/// Any executable that this room is linked into is one when it is executed under the name ``name``, with a run's folder as
/// its argument. There is one for each script that runs, so it is written in C (`runner.c`) and takes over before anything
/// of Swift is set up: it starts in a fraction of a script's own time and has no memory to speak of. Its standard output is
/// a pipe to the starter, closed when the script runs or cannot. The script is never run more than once, however often
/// runners are started for it.
public enum Runner {
  public static let name = DROVER_RUNNER_NAME
}

extension ProcessIdentity {
  /// A child that has not been reaped: its pid is its own, even when it has ended already.
  init?(pidOfOwnChild pid: Int) {
    guard let stat = ProcessStat.read(pid: pid) else { return nil }
    self.init(pid: pid, startTicks: stat.startTicks, bootID: Self.currentBootID)
  }
}
