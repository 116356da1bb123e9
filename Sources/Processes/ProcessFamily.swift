import Glibc
public import Surroundings

/// The processes of a session or process group, named by its first process: what a script started and did not detach.
public struct ProcessFamily: Sendable, Hashable {
  /// The pid of the first process, which is the number of the session and of the group.
  public let id: Int

  public init(id: Int) { self.id = id }

  /// Those that live now.
  public var members: [ProcessIdentity] {
    ProcessTable.snapshot().members(ofSessionOrGroup: id).compactMap { stat in
      ProcessIdentity(pid: stat.pid, startTicks: stat.startTicks, bootID: ProcessIdentity.currentBootID)
    }
  }

  /// Sends a signal to every member.
  ///
  /// - Returns: whether there was one.
  @discardableResult
  public func signal(_ number: Int32) throws -> Bool {
    var reached = false
    for member in members where try member.signal(number) { reached = true }
    return reached
  }

  /// Asks all members to end (SIGTERM), and ends by force those that are left after `grace` (SIGKILL).
  ///
  /// - Returns: whether all ended without force.
  @discardableResult
  public func terminate(grace: Duration, in surroundings: Surroundings = .system) async throws -> Bool {
    let deadline = surroundings.elapsed() + grace
    try signal(SIGTERM)
    while let member = members.first {
      let left = deadline - surroundings.elapsed()
      guard left > .zero, try await member.waitForExit(atMost: left, in: surroundings) else {
        return try await kill(in: surroundings)
      }
    }
    return true
  }

  /// Kills again as long as there are members: one may have forked in the meantime.
  private func kill(in surroundings: Surroundings) async throws -> Bool {
    var forced = false
    while true {
      let left = members
      if left.isEmpty { return !forced }
      forced = true
      for member in left { try member.signal(SIGKILL) }
      // A process in an uninterruptible call ends when that call does; nobody can hurry it.
      guard try await left[0].waitForExit(atMost: .seconds(5), in: surroundings) else { return false }
    }
  }
}
