import Formats
import GoConventions
public import PoolsClient
import PoolsProtocol
public import Surroundings

/// `boskosctl`, as scripts know it (reference/boskos.md 15), but with an exit code other than 0 whenever it did not do
/// what it was to do.
public struct Boskosctl: Sendable {
  /// Where it says what; lines without their ends.
  public struct Output: Sendable {
    public var standard: @Sendable (String) -> Void
    public var error: @Sendable (String) -> Void

    public init(standard: @escaping @Sendable (String) -> Void, error: @escaping @Sendable (String) -> Void) {
      self.standard = standard
      self.error = error
    }
  }

  private let surroundings: Surroundings
  private let output: Output
  private let options: PoolsClient.Options

  public init(
    surroundings: Surroundings, output: Output,
    options: PoolsClient.Options = .init(repeatsRefusals: true)
  ) {
    self.surroundings = surroundings
    self.output = output
    self.options = options
  }

  /// - Parameters:
  ///   - arguments: without the program's name.
  ///   - interrupted: returns when the user wants it to end.
  /// - Returns: the exit code.
  public func run(_ arguments: [String], interrupted: @escaping @Sendable () async -> Void) async -> Int32 {
    if arguments.first == "completion" {
      let (text, isGood) = BoskosctlCompletion.answer(Array(arguments.dropFirst()))
      isGood ? output.standard(text) : output.error("Error: \(text)")
      return isGood ? 0 : 1
    }
    let (command, rest) = Self.split(arguments)
    guard let command else { return root(arguments) }
    let flags: CobraFlags
    do {
      flags = try CobraFlags(
        rest, flags: command.flags + BoskosctlCommand.globalFlags, command: "boskosctl \(command.rawValue)")
    } catch {
      guard case .wrong(let text) = error else {
        output.standard(String(command.help.dropLast()))
        return 0
      }
      return wrong(text, command.usage)
    }
    let client: PoolsClient
    do {
      client = try PoolsClient(
        url: flags.text("server-url"), owner: flags.text("owner-name"), username: flags.text("username"),
        passwordFile: flags.text("password-file"), options: options, surroundings: surroundings)
    } catch {
      output.error("failed to initialize the Boskos client: \(error)")
      return 1
    }
    if client.exposesPassword {
      output.standard("[WARNING] should NOT use password without enabling TLS: '\(flags.text("server-url"))'")
    }
    switch command {
    case .acquire: return await acquire(client, flags, interrupted)
    case .release: return await release(client, flags, interrupted)
    case .metrics: return await metrics(client, flags, interrupted)
    case .heartbeat:
      return await Heartbeat(client: client, surroundings: surroundings, output: output, flags: flags)
        .run(interrupted: interrupted)
    }
  }

  /// The command, wherever it stands among the flags, and the other arguments.
  private static func split(_ arguments: [String]) -> (BoskosctlCommand?, [String]) {
    var index = 0
    while index < arguments.count {
      let argument = arguments[index]
      if let command = BoskosctlCommand(rawValue: argument) {
        return (command, Array(arguments[..<index] + arguments[(index + 1)...]))
      }
      guard argument.hasPrefix("-") else { break }
      let isPair = !argument.contains("=") && !["-h", "--help"].contains(argument)
      index += isPair ? 2 : 1
    }
    return (nil, arguments)
  }

  private func root(_ arguments: [String]) -> Int32 {
    if arguments.first == "help" {
      output.standard(
        String(
          (arguments.dropFirst().first.flatMap(BoskosctlCommand.init)?.help ?? BoskosctlCommand.rootHelp).dropLast()))
      return 0
    }
    do {
      _ = try CobraFlags(arguments, flags: BoskosctlCommand.globalFlags, command: "boskosctl")
      output.standard(String(BoskosctlCommand.rootHelp.dropLast()))
      return 0
    } catch {
      guard case .wrong(let text) = error else {
        output.standard(String(BoskosctlCommand.rootHelp.dropLast()))
        return 0
      }
      return wrong(text, BoskosctlCommand.rootUsage)
    }
  }

  private func wrong(_ text: String, _ usage: String) -> Int32 {
    output.error("Error: \(text)\n\(usage)")
    output.standard(text)
    return 1
  }

  private func acquire(
    _ client: PoolsClient, _ flags: CobraFlags, _ interrupted: @escaping @Sendable () async -> Void
  ) async -> Int32 {
    let (type, state, target) = (flags.text("type"), flags.text("state"), flags.text("target-state"))
    let timeout = flags.duration("timeout")
    do {
      let resource = try await Interruptible.run(until: interrupted) {
        timeout == .zero
          ? try await client.acquire(type: type, from: state, to: target)
          : try await client.acquireWaiting(type: type, from: state, to: target, timeout: timeout)
      }
      output.standard(String(decoding: resource.json, as: UTF8.self))
      return 0
    } catch {
      output.error("failed to acquire a resource: \(Self.text(error))")
      return 1
    }
  }

  /// Scripts know one text for all that is not there, be it a resource or its type.
  private static func text(_ error: any Error) -> String {
    let isAbsent = error is CancellationError || (error as? PoolsClientError) == .typeNotFound
    return isAbsent ? "\(PoolsClientError.notFound)" : "\(error)"
  }

  private func release(
    _ client: PoolsClient, _ flags: CobraFlags, _ interrupted: @escaping @Sendable () async -> Void
  ) async -> Int32 {
    let name = GoText.quoted(flags.text("name"))
    do {
      try await Interruptible.run(until: interrupted) {
        try await client.release(flags.text("name"), to: flags.text("target-state"))
      }
      output.standard("released resource \(name)")
      return 0
    } catch {
      output.error("failed to release resource \(name): \(Interruptible.text(error))")
      return 1
    }
  }

  private func metrics(
    _ client: PoolsClient, _ flags: CobraFlags, _ interrupted: @escaping @Sendable () async -> Void
  ) async -> Int32 {
    do {
      let metric = try await Interruptible.run(until: interrupted) { try await client.metric(flags.text("type")) }
      output.standard(String(decoding: metric.json, as: UTF8.self))
      return 0
    } catch {
      output.error(
        "failed to get metrics for resource \(GoText.quoted(flags.text("type"))): \(Interruptible.text(error))")
      return 1
    }
  }
}

/// Work that ends when somebody wants it to.
enum Interruptible {
  static func text(_ error: any Error) -> String { error is CancellationError ? "interrupted" : "\(error)" }

  static func run<Result: Sendable>(
    until interrupted: @escaping @Sendable () async -> Void, _ work: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask { try await work() }
      group.addTask {
        await interrupted()
        return nil
      }
      defer { group.cancelAll() }
      guard let first = try await group.next(), let result = first else { throw CancellationError() }
      return result
    }
  }
}
