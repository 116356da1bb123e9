import CLinux
import Glibc

/// The small process that runs one script, waits for it and writes down how it ended, whatever becomes of the process
/// that asked for it (design D7).
///
/// An executable that starts scripts calls ``main(folder:)`` before anything else when its arguments are
/// `runner FOLDER`. There is one for each script that runs, so it is written in C (`runner.c`): it starts in a fraction of
/// a script's own time and has no memory to speak of.
public enum Runner {
  /// Runs the script of a run folder; never more than once, however often runners are started for it.
  ///
  /// Standard output is a pipe to the starter, closed when the script runs or cannot.
  public static func main(folder path: String) -> Never { exit(drover_runner(path)) }
}

extension ProcessIdentity {
  /// A child that has not been reaped: its pid is its own, even when it has ended already.
  init?(pidOfOwnChild pid: Int) {
    guard let stat = ProcessStat.read(pid: pid) else { return nil }
    self.init(pid: pid, startTicks: stat.startTicks, bootID: Self.currentBootID)
  }
}
