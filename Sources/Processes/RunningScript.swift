import Files
import Formats
import Glibc
public import Surroundings

/// A script that was started by a ``ScriptRunner``: it may run, or have ended, long ago or in an earlier life of this
/// process.
public struct RunningScript: Sendable, Hashable {
  public let id: String
  /// What it needed, as it is kept: without its arguments and environment.
  public let spec: ScriptSpec
  let folder: RunFolder

  /// The files its output goes to.
  public var stdoutPath: String { folder.outputFile(.stdout, spec) }
  public var stderrPath: String { folder.outputFile(.stderr, spec) }
  public func outputPath(_ stream: OutputStream) -> String { folder.outputFile(stream, spec) }

  /// How it ended; nil while it runs.
  public func exitIfEnded() throws -> ScriptExit? {
    if let record = try folder.exit() { return record.exit }
    if try folder.runner()?.isAlive ?? false { return nil }
    // The runner may have ended between the two looks.
    if let record = try folder.exit() { return record.exit }
    return folder.script()?.isAlive ?? false ? nil : .lost
  }

  /// When it ended; nil while it runs, and when that is lost.
  public func endedAt() throws -> Timestamp? { try folder.exit()?.ended }

  /// When it was written down, before it was executed; nil when that is lost.
  public func begunAt() -> Timestamp? { (try? FileFacts(folder.specFile))?.written }

  /// Waits for its end. Processes that it left behind are not waited for.
  ///
  /// Cancelling the task ends the waiting, not the script.
  public func wait() async throws -> ScriptExit {
    while true {
      if let exit = try exitIfEnded() { return exit }
      if let runner = try folder.runner(), runner.isAlive {
        try await runner.waitForExit()
      } else if let script = folder.script() {
        try await script.waitForExit()
      }
    }
  }

  /// The script's processes: its session, without what has made a session of its own.
  private func family() -> ProcessFamily? { folder.script().map { ProcessFamily(id: $0.pid) } }

  /// Sends a signal to all its processes.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  public func signal(_ number: Int32) throws -> Bool {
    guard let script = folder.script(), script.bootID == ProcessIdentity.currentBootID else { return false }
    // With the leader gone, its number still names the session of those that are left; with another process as
    // leader, none are left.
    if let leader = ProcessIdentity(livingPid: script.pid), leader != script { return false }
    return try family()?.signal(number) ?? false
  }

  /// Asks all its processes to end, and ends by force those that are left after `grace`; then waits for its end.
  public func terminate(grace: Duration, in surroundings: Surroundings = .system) async throws -> ScriptExit {
    if try signal(0) { try await family()?.terminate(grace: grace, in: surroundings) }
    return try await wait()
  }

  /// At most `maximum` bytes of a stream, from `offset` on. Empty at the end of what there is so far.
  public func readOutput(_ stream: OutputStream, offset: Int, maximum: Int) throws -> [UInt8] {
    try Files.read(outputPath(stream), offset: offset, maximum: maximum)
  }

  /// How many bytes of a stream there are so far. What processes that it left behind print after its end is none of it.
  public func outputSize(_ stream: OutputStream) -> Int {
    if let size = (try? folder.exit())??.sizes?[stream] { return size }
    return (try? Files.size(outputPath(stream))) ?? 0
  }
}
