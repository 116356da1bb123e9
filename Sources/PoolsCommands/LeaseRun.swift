import Formats
import Glibc
public import PoolsClient
import PoolsProtocol
import Processes
public import Surroundings

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

  /// Waits in line, runs the command, hands the resource back.
  ///
  /// - Parameters:
  ///   - signals: signals that this program has got, for the command.
  ///   - say: a sentence for people.
  /// - Returns: the command's exit code (128 and the signal's number when it was killed), or one of those above.
  public func run(
    signals: @escaping @Sendable () async -> Int32?, say: @escaping @Sendable (String) -> Void
  ) async -> Int32 {
    do {
      return try await client.withLease(type: type, terms: terms) { lease in
        try await execute(lease, signals)
      }
    } catch let error as PoolsClientError {
      if case .leaseLost = error {
        say("\(error); the command was ended")
        return Self.lostCode
      }
      say("leasing a \(type): \(error)")
      return Self.notLeasedCode
    } catch {
      say("\(error)")
      return 1
    }
  }

  private func execute(_ lease: PooledResource, _ signals: @escaping @Sendable () async -> Int32?) async throws -> Int32
  {
    let path = try leaseFile(lease)
    defer { unlink(path) }
    var environment = Environment.current()
    for (name, value) in Self.variables(lease, file: path) { environment[name] = value }
    let child = try ChildProcess(
      command, environment: environment, input: STDIN_FILENO, output: STDOUT_FILENO, errors: STDERR_FILENO,
      ownGroup: false)
    let forwarding = surroundings.task {
      while let number = await signals() { child.signal(number) }
    }
    defer { forwarding.cancel() }
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
    var template = Array("\(Environment.current()["TMPDIR"] ?? "/tmp")/drover-lease-XXXXXX".utf8CString)
    let descriptor = mkstemp(&template)
    let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard descriptor >= 0 else {
      throw DroverError(.failed, "making a file for the lease, \(path): \(String(cString: strerror(errno)))")
    }
    defer { close(descriptor) }
    let bytes = lease.json + [0x0A]
    guard bytes.withUnsafeBytes({ write(descriptor, $0.baseAddress, $0.count) }) == bytes.count else {
      unlink(path)
      throw DroverError(.failed, "writing the lease to \(path): \(String(cString: strerror(errno)))")
    }
    return path
  }
}
