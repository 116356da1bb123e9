import Files
import Formats
import Glibc
public import PoolsClient
import PoolsProtocol
import Processes
public import Surroundings
import Synchronization

/// A command that runs as long as it holds a resource: `drover lease`.
public struct LeaseRun: Sendable {
  /// The exit code when the lease was lost while the command ran.
  public static let lostCode: Int32 = 76
  /// The exit code when nothing could be leased.
  public static let notLeasedCode: Int32 = 75

  private let client: PoolsClient
  private let type: String
  private let terms: PoolsClient.LeaseTerms
  private let command: [String]
  private let surroundings: Surroundings
  /// How long the command has to end after it was told to.
  private let grace: Duration

  public init(
    client: PoolsClient, type: String, terms: PoolsClient.LeaseTerms, command: [String], surroundings: Surroundings,
    grace: Duration = .seconds(10)
  ) {
    self.client = client
    self.type = type
    self.terms = terms
    self.command = command
    self.surroundings = surroundings
    self.grace = grace
  }

  /// How far it is, for who has to decide what a signal means.
  private struct Stage {
    var child: ChildProcess?
    /// The command's exit code and the resource, once it has ended.
    var ended: (code: Int32, name: String)?
    /// A signal that ended the waiting in line.
    var caught: Int32?
  }

  /// Waits in line, runs the command, hands the resource back.
  ///
  /// A signal ends the waiting in line; while the command runs it is the command's; and while the resource is handed
  /// back it ends that.
  ///
  /// - Parameters:
  ///   - signals: signals that this program has got; nil when there will be no more.
  ///   - isToldByTerminal: whether the command has got that signal as well, from the terminal.
  ///   - say: a sentence for people.
  /// - Returns: the command's exit code (128 and the signal's number when it was killed), 128 and a signal's number when
  ///   that ended it before or after the command, or one of those above.
  public func run(
    signals: @escaping @Sendable () async -> Int32?,
    isToldByTerminal: @escaping @Sendable (Int32) -> Bool = { _ in false },
    say: @escaping @Sendable (String) -> Void
  ) async -> Int32 {
    let stage = Stages()
    let (codes, found) = AsyncStream<Int32>.makeStream()
    let leasing = surroundings.task { found.yield(await lease(stage, say)) }
    let listening = surroundings.task {
      while let number = await signals() {
        switch stage.heed(number) {
        case .leave: leasing.cancel()
        case .forward(let child): if !isToldByTerminal(number) { child.signal(number) }
        case .giveUp(let name):
          if let name { say("\(name) was not handed back; the server takes it back when nobody speaks of it for long") }
          found.yield(128 + number)
        }
      }
    }
    defer { listening.cancel() }
    for await code in codes { return code }
    return 1
  }

  private enum Heed {
    case leave
    case forward(ChildProcess)
    /// Nothing more is waited for; the resource that is left, if there is one.
    case giveUp(String?)
  }

  private final class Stages: Sendable {
    private let stage = Mutex(Stage())

    /// Starts the command, unless a signal came before. One that comes meanwhile is the command's.
    func begin(_ start: () throws -> ChildProcess) throws -> ChildProcess {
      try stage.withLock { stage in
        if stage.caught != nil { throw CancellationError() }
        let child = try start()
        stage.child = child
        return child
      }
    }
    func ended(_ code: Int32, _ name: String) { stage.withLock { $0.ended = (code, name) } }
    var ended: (code: Int32, name: String)? { stage.withLock { $0.ended } }
    var caught: Int32? { stage.withLock { $0.caught } }

    func heed(_ number: Int32) -> Heed {
      stage.withLock { stage in
        if let ended = stage.ended { return .giveUp(ended.name) }
        if let child = stage.child { return .forward(child) }
        if stage.caught != nil { return .giveUp(nil) }
        stage.caught = number
        return .leave
      }
    }
  }

  private func lease(_ stage: Stages, _ say: @escaping @Sendable (String) -> Void) async -> Int32 {
    do {
      return try await client.withLease(type: type, terms: terms) { lease in
        let code = try await execute(lease, stage)
        stage.ended(code, lease.name)
        return code
      }
    } catch let error as PoolsClientError {
      if case .leaseLost = error {
        say("\(error); the command was ended")
        return Self.lostCode
      }
      if let ended = stage.ended {
        say(
          "handing back \(ended.name): \(error); the server takes it back when nobody speaks of it for long")
        return ended.code
      }
      say(
        error == .notFound
          ? "nothing of type '\(type)' in state '\(terms.from)' could be leased in time; 'drover pools' shows what there is"
          : "leasing a resource of type '\(type)': \(error)\(error.hint)")
      return Self.notLeasedCode
    } catch {
      if let number = stage.caught {
        say("no longer waiting for a resource of type '\(type)'")
        return 128 + number
      }
      say("\(error)")
      return 1
    }
  }

  private func execute(_ lease: PooledResource, _ stage: Stages) async throws -> Int32 {
    try Task.checkCancellation()
    let path = try leaseFile(lease)
    defer { unlink(path) }
    var environment = Environment.current()
    for (name, value) in Self.variables(lease, file: path) { environment[name] = value }
    let child = try stage.begin {
      try ChildProcess(
        command, environment: environment, input: STDIN_FILENO, output: STDOUT_FILENO, errors: STDERR_FILENO,
        ownGroup: false)
    }
    do {
      return Self.code(try await child.ending())
    } catch is CancellationError {
      child.signal(SIGTERM)
      // This task is cancelled and cannot wait any more.
      let ending = surroundings.task { () async throws -> Void in
        let killing = surroundings.task {
          try? await surroundings.sleep(grace)
          if !Task.isCancelled { child.signal(SIGKILL) }
        }
        _ = try await child.ending()
        killing.cancel()
      }
      try? await ending.value
      throw CancellationError()
    }
  }

  static func code(_ ending: Ending) -> Int32 {
    switch ending {
    case .exited(let code): Int32(code)
    case .signalled(let number): 128 + Int32(number)
    }
  }

  /// What the command's environment says of its lease. User data are `DROVER_LEASE_DATA_KEY`, the key in capitals and
  /// with underscores for what a variable's name cannot have.
  static func variables(_ lease: PooledResource, file: String?) -> [(String, String)] {
    var variables = [
      ("DROVER_LEASE_NAME", lease.name), ("DROVER_LEASE_TYPE", lease.type), ("DROVER_LEASE_STATE", lease.state),
      ("DROVER_LEASE_OWNER", lease.owner),
    ]
    if let file { variables.append(("DROVER_LEASE_FILE", file)) }
    for (key, value) in lease.userData.sorted(by: { $0.key < $1.key }) where !value.utf8.contains(0) {
      let name = key.uppercased().unicodeScalars.map { scalar in
        scalar.isASCII && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil)
          ? Character(scalar) : "_"
      }
      variables.append(("DROVER_LEASE_DATA_" + String(name), value))
    }
    return variables
  }

  /// The lease as JSON, for this user only.
  private func leaseFile(_ lease: PooledResource) throws -> String {
    let path = "\(Files.temporary)/drover-lease-\(surroundings.identifier())"
    guard try Files.create(path, with: lease.json + [0x0A], isDurable: false) else {
      throw DroverError(.conflict, "writing the lease to '\(path)': there is such a file")
    }
    return path
  }
}
