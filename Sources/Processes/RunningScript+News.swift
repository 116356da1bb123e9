import CLinux
import Files
import Glibc
import Surroundings

extension RunningScript {
  /// Returns soon after a stream has more bytes than these, or the script has ended, or the time has passed; at once when
  /// that is so already. May return for nothing. Of a runner that was killed it knows nothing.
  ///
  /// - Throws: `CancellationError` when the task is cancelled meanwhile.
  public func waitForNews(stdout: Int, stderr: Int, atMost limit: Duration) async throws {
    // Looked at before they are watched: one that is made in between is not watched.
    let areThere = Files.isVisible(stdoutPath) && Files.isVisible(stderrPath)
    let watch = drover_watch(folder.path, stdoutPath, stderrPath)
    // All of a machine's watches may be taken.
    guard watch >= 0 else { return try await Surroundings.system.sleep(min(limit, .milliseconds(100))) }
    defer { close(watch) }
    if outputSize(.stdout) > stdout || outputSize(.stderr) > stderr { return }
    if try folder.exit() != nil { return }
    // A file elsewhere that is made later is not watched.
    guard areThere else { return try await Surroundings.system.sleep(min(limit, .milliseconds(50))) }
    try await Readiness.shared.wait(watch, atMost: limit)
  }
}
