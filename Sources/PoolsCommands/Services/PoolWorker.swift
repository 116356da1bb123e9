import Formats
public import Pools
public import PoolsProtocol
import Processes

/// What a janitor or a mason has to be done to a resource that it holds.
public struct PoolWork: Sendable {
  /// Clean it, or build it from what was leased for it.
  public enum Kind: Sendable {
    case clean
    case build(leased: [String: [PooledResource]], construction: LifeCycle.Construction)
  }

  public var kind: Kind
  public var resource: PooledResource
  public var program: ServiceProgram
  /// For which lease: the name of its holder.
  public var lease: String { resource.owner }

  public init(kind: Kind, resource: PooledResource, program: ServiceProgram) {
    self.kind = kind
    self.resource = resource
    self.program = program
  }
}

/// How it ended.
public struct PoolWorkResult: Sendable, Hashable {
  public var succeeded: Bool
  /// `exited with 1`.
  public var ending: String
  /// What was built, for a build that succeeded: user data of the resource as JSON.
  public var answer: [UInt8]
  /// What was written, for people; the last part is enough.
  public var log: String

  public init(succeeded: Bool, ending: String, answer: [UInt8] = [], log: String) {
    self.succeeded = succeeded
    self.ending = ending
    self.answer = answer
    self.log = log
  }
}

/// Does such work: by a command on this machine, or elsewhere.
public protocol PoolWorker: Sendable {
  /// Whether it is one for this program; types with others are left to others.
  func serves(_ program: ServiceProgram) -> Bool

  /// - Throws: when it could not be done at all or took too long, which counts as failed; `CancellationError` when the
  ///   task is cancelled, by which time nothing goes on.
  func perform(_ work: PoolWork) async throws -> PoolWorkResult
}

extension PoolWorker {
  public func serves(_ program: ServiceProgram) -> Bool { program.errand == nil }
}

/// A worker whose work goes on when nobody waits for it, also while the server is down. It is found again by its lease,
/// for which it is done once.
public protocol LastingWorker: PoolWorker {
  /// Why work by this program cannot be begun now; nil when it can.
  func obstacle(to program: ServiceProgram) async -> String?
  /// Tells people that work on a type cannot be begun; nil when it can again.
  func tell(obstacle: String?, type: String) async
  /// Does the work, or waits for the end of what has been begun for the same lease.
  ///
  /// - Throws: ``PoolWorkObstacle`` when it could not be begun; `CancellationError` when the task is cancelled, and then
  ///   the work goes on.
  func perform(_ work: PoolWork) async throws -> PoolWorkResult
  /// Whether work for a lease has been begun.
  ///
  /// - Throws: `CancellationError`.
  func hasBegun(_ lease: String) async throws -> Bool
  /// The outcome has had its effect, and what was leased has been handed back.
  func forget(_ lease: String) async
  /// The lease is over: ends its work.
  func abandon(_ lease: String) async
  /// Leases, of holders whose names begin so, whose work has been neither forgotten nor abandoned.
  func leases(prefix: String) async -> Set<String>
}

/// Work could not be begun, for which the resource is not to blame.
public struct PoolWorkObstacle: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// Does work by commands on this machine.
///
/// To clean, a command is called with `--KIND=NAME`, KIND being what follows the last `-` of the type, behind the program
/// and before its arguments (reference/boskos.md 9). To build, it reads JSON, `{"resource": …, "leased": {TYPE:
/// [RESOURCE, …]}, "config": {"type": …, "content": …}}`, and writes a JSON object of strings: the resource's user data.
/// The environment has the resource as `drover lease` has it.
public struct CommandWorker: PoolWorker {
  public init() {}

  public func perform(_ work: PoolWork) async throws -> PoolWorkResult {
    var command = Command(work.program.command)
    command.timeout = work.program.timeout
    var environment = Environment.current()
    for (name, value) in LeaseRun.variables(work.resource, file: nil) { environment[name] = value }
    command.environment = environment
    switch work.kind {
    case .clean:
      let kind = work.resource.type.split(separator: "-").last.map(String.init) ?? work.resource.type
      command.arguments.insert("--\(kind)=\(work.resource.name)", at: min(1, command.arguments.count))
    case .build(let leased, let construction):
      let needed = try leased.sorted { $0.key < $1.key }.map { type, all in
        (type, Value.array(try all.map { try JSON.parse($0.json) }))
      }
      command.input = JSON.bytes([
        "resource": try JSON.parse(work.resource.json), "leased": .object(ValueObject(needed)),
        "config": ["type": .string(construction.type), "content": .string(construction.content)],
      ])
    }
    let result = try await command.result()
    let errors = String(decoding: result.errors, as: UTF8.self)
    let output = String(decoding: result.output.suffix(8 << 10), as: UTF8.self)
    // What a build writes are user data, perhaps secret; of it only what it says beside them is for people.
    let log =
      switch work.kind {
      case .clean: output + (output.isEmpty || output.hasSuffix("\n") ? "" : "\n") + errors
      case .build: errors
      }
    return PoolWorkResult(
      succeeded: result.succeeded, ending: "\(result.ending)", answer: result.output, log: log)
  }
}
