public import Logging
public import PoolsClient
import PoolsProtocol
import Processes
public import Surroundings
import Synchronization

/// Cleans dirty resources by a command and frees them (reference/boskos.md 9).
///
/// Types take turns, so that one with many dirty resources does not starve the others. A resource whose clean-up fails
/// again and again is put aside, if that is wanted, with what the last clean-up said in the log.
public struct Janitor: Sendable {
  public struct Settings: Sendable {
    /// How many clean-ups run beside each other.
    public var poolSize: Int
    /// How often the server is told that a resource is still being cleaned.
    public var updateFrequency: Duration
    /// The program that cleans.
    public var command: String
    /// Programs for types that have one of their own.
    public var commands: [String: String]
    /// What the programs are given besides the resource.
    public var arguments: [String]
    /// A clean-up that takes longer has failed; nil waits for ever.
    public var timeout: Duration?
    /// After so many failures one after the other it is put aside; nil tries for ever.
    public var quarantineAfter: Int?
    /// The state of what is put aside.
    public var quarantine: String

    public init(
      poolSize: Int = 20, updateFrequency: Duration = .seconds(300), command: String, commands: [String: String] = [:],
      arguments: [String] = [], timeout: Duration? = nil, quarantineAfter: Int? = nil, quarantine: String = "quarantine"
    ) {
      self.poolSize = poolSize
      self.updateFrequency = updateFrequency
      self.command = command
      self.commands = commands
      self.arguments = arguments
      self.timeout = timeout
      self.quarantineAfter = quarantineAfter
      self.quarantine = quarantine
    }
  }

  private let client: PoolsClient
  private let types: TypeSource
  private let settings: Settings
  private let surroundings: Surroundings
  private let logger: Logger
  private let failures = Failures()

  private final class Failures: Sendable {
    private let counts = Mutex([String: Int]())
    func succeeded(_ name: String) { counts.withLock { $0[name] = nil } }
    func failed(_ name: String) -> Int {
      counts.withLock { counts in
        counts[name, default: 0] += 1
        return counts[name] ?? 1
      }
    }
  }

  public init(
    client: PoolsClient, types: TypeSource, settings: Settings, surroundings: Surroundings, logger: Logger
  ) {
    self.client = client
    self.types = types
    self.settings = settings
    self.surroundings = surroundings
    self.logger = logger
  }

  /// Round after round with a minute between them, until the task is cancelled.
  public func run() async {
    while !Task.isCancelled {
      await round()
      do { try await surroundings.sleep(.seconds(60)) } catch { return }
    }
  }

  /// Cleans what is dirty, one resource of each type in turn, until no type has any.
  public func round() async {
    await withTaskGroup(of: Void.self) { group in
      var running = 0
      var open = types.types(logger)
      while !open.isEmpty, !Task.isCancelled {
        for type in open {
          if running >= max(1, settings.poolSize) {
            await group.next()
            running -= 1
          }
          do {
            let resource = try await client.acquire(
              type: type, from: ResourceState.dirty, to: ResourceState.cleaning)
            running += 1
            group.addTask { await clean(resource) }
          } catch {
            if error as? PoolsClientError != .notFound {
              logger.warning("acquiring failed", metadata: ["type": "\(type)", "error": "\(error)"])
            }
            open.removeAll { $0 == type }
          }
        }
      }
    }
  }

  /// Cleans one and hands it back: free, dirty when it failed, aside when it failed too often.
  func clean(_ resource: PooledResource) async {
    let isClean = await isCleaned(resource)
    var state = ResourceState.free
    if isClean {
      failures.succeeded(resource.name)
    } else {
      let count = failures.failed(resource.name)
      state = ResourceState.dirty
      if let limit = settings.quarantineAfter, count >= limit {
        state = settings.quarantine
        failures.succeeded(resource.name)
        logger.error(
          "put aside: its clean-up failed too often", metadata: ["name": "\(resource.name)", "times": "\(count)"])
      }
    }
    let destination = state
    // Also when this task is cancelled: in a task of its own.
    let release = surroundings.task { () async throws -> Void in
      try await client.release(resource.name, to: destination)
    }
    do {
      try await release.value
    } catch {
      logger.error("handing back failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
    }
  }

  private func isCleaned(_ resource: PooledResource) async -> Bool {
    let kind = resource.type.split(separator: "-").last.map(String.init) ?? resource.type
    var command = Command(
      [settings.commands[resource.type] ?? settings.command, "--\(kind)=\(resource.name)"] + settings.arguments)
    command.timeout = settings.timeout
    let chosen = command
    do {
      return try await withThrowingTaskGroup(of: Bool.self) { group in
        group.addTask { try await said(try await chosen.result(), resource) }
        group.addTask {
          try await client.beat(resource, settings.updateFrequency)
          return false
        }
        defer { group.cancelAll() }
        return try await group.next() ?? false
      }
    } catch {
      logger.error("cleaning failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
      return false
    }
  }

  private func said(_ result: CommandResult, _ resource: PooledResource) async throws -> Bool {
    guard !result.succeeded else {
      logger.info("cleaned", metadata: ["name": "\(resource.name)"])
      return true
    }
    logger.error(
      "cleaning failed",
      metadata: [
        "name": "\(resource.name)", "ending": "\(result.ending)",
        "output": "\(String(decoding: result.output.suffix(8 << 10), as: UTF8.self))",
        "errors": "\(String(decoding: result.errors.suffix(8 << 10), as: UTF8.self))",
      ])
    return false
  }
}
