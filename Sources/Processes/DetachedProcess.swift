import Formats
import Glibc

/// A program started in a session of its own, with nothing of this process but what is named here: it lives on when this
/// process ends, and its ending is known for as long as this process lives.
public struct DetachedProcess: Sendable, Hashable {
  public let pid: Int
  private let identity: ProcessIdentity?

  /// Executes the program in `/` with umask 022 and without input.
  ///
  /// - Parameters:
  ///   - arguments: the program's path, and its arguments.
  ///   - user: what it runs as; nil is this process's own.
  ///   - output: a file that both its outputs go to; nil is nowhere.
  /// - Throws: ``DroverError`` when it cannot be executed, saying why.
  public init(
    _ arguments: [String], environment: [String: String], user: UInt32? = nil, group: UInt32? = nil,
    output: Int32? = nil
  ) throws {
    guard let program = arguments.first, let path = Environment.find(program, path: environment["PATH"]) else {
      throw DroverError(.notFound, "cannot run \(arguments.first ?? "a program"): it is not found in PATH")
    }
    var spawn = Spawn(path: path, arguments: arguments, environment: environment)
    spawn.directory = "/"
    spawn.separation = .session
    spawn.umask = 0o022
    spawn.uid = user
    spawn.gid = group
    spawn.output = output
    spawn.errors = output
    do {
      pid = try spawn.start()
    } catch {
      throw error.error(path: path, directory: "/")
    }
    identity = ProcessIdentity(pidOfOwnChild: pid)
  }

  /// Whether it runs; one that has ended is not alive, reaped or not.
  public var isAlive: Bool { identity?.isAlive ?? false }

  /// Waits for its end and takes its status: to be called once, since otherwise the system keeps it.
  public func ending() async throws -> Ending { try await Child(pid: pid).ending() }
}
