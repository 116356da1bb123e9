import Formats
import Glibc

/// A program that this process starts, with descriptors that the caller gives it, and whose end it waits for.
public struct ChildProcess: Sendable, Hashable {
  public let pid: Int
  private let identity: ProcessIdentity?

  /// - Parameters:
  ///   - arguments: the program (searched for in PATH when it has no slash) and its arguments.
  ///   - environment: the whole of it; nil is this process's own.
  ///   - input: its standard input; nil is none. The other two alike.
  ///   - ownGroup: whether it has a process group of its own, which a terminal's keys do not reach.
  /// - Throws: ``DroverError`` when it cannot be executed, saying why.
  public init(
    _ arguments: [String], environment: [String: String]? = nil, input: Int32? = nil, output: Int32? = nil,
    errors: Int32? = nil, ownGroup: Bool = true
  ) throws {
    let environment = environment ?? Environment.current()
    guard let program = arguments.first, let path = Environment.find(program, path: Environment.current()["PATH"])
    else { throw DroverError(.notFound, "cannot run \(arguments.first ?? "a program"): it is not found in PATH") }
    var spawn = Spawn(path: path, arguments: arguments, environment: environment)
    spawn.input = input
    spawn.output = output
    spawn.errors = errors
    spawn.separation = ownGroup ? .group : .none
    do {
      pid = try spawn.start()
    } catch {
      throw error.error(path: path, directory: nil)
    }
    identity = ProcessIdentity(pidOfOwnChild: pid)
  }

  /// Sends it a signal; returns false when it has ended.
  @discardableResult
  public func signal(_ number: Int32) -> Bool { (try? identity?.signal(number)) ?? false }

  /// Waits for its end and takes its status: to be called once.
  public func ending() async throws -> Ending { try await Child(pid: pid).ending() }
}

/// The program of that name, as ``Command`` finds it; nil when there is none.
public func findProgram(_ name: String) -> String? { Environment.find(name, path: Environment.current()["PATH"]) }
