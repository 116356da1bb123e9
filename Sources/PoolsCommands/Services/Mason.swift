import Formats
public import Logging
import Pools
public import PoolsClient
import PoolsProtocol
import Processes
public import Surroundings

/// Builds dynamic resources from others by commands (reference/boskos.md 11).
///
/// A dirty resource is taken, what it was built from before is handed back, what it needs is leased, and the command of
/// its construction makes it. The command reads JSON, `{"resource": …, "leased": {TYPE: [RESOURCE, …]}, "config":
/// {"type": …, "content": …}}`, and writes a JSON object of strings: the resource's user data.
public struct Mason: Sendable {
  public struct Settings: Sendable {
    /// Programs by the type of the construction. Dynamic types with another one are left alone.
    public var commands: [String: String]
    /// Between two looks for something to build, and between two questions for what is needed.
    public var pause: Duration
    /// How often the server is told what is still held.
    public var heartbeat: Duration
    /// A construction that takes longer has failed; nil waits for ever.
    public var timeout: Duration?

    public init(
      commands: [String: String], pause: Duration = .seconds(15), heartbeat: Duration = .seconds(60),
      timeout: Duration? = nil
    ) {
      self.commands = commands
      self.pause = pause
      self.heartbeat = heartbeat
      self.timeout = timeout
    }
  }

  private let client: PoolsClient
  private let file: String
  private let settings: Settings
  private let surroundings: Surroundings
  private let logger: Logger

  /// - Parameter file: the file of resources, which says what is needed for which type.
  public init(client: PoolsClient, file: String, settings: Settings, surroundings: Surroundings, logger: Logger) {
    self.client = client
    self.file = file
    self.settings = settings
    self.surroundings = surroundings
    self.logger = logger
  }

  /// Until the task is cancelled.
  public func run() async {
    while !Task.isCancelled {
      await pass()
      do { try await surroundings.sleep(settings.pause) } catch { return }
    }
  }

  /// One dirty resource of each type, types beside each other.
  public func pass() async {
    let entries: [PoolsConfiguration.Entry]
    do {
      entries = try PoolsConfiguration.load(try Files.read(file, limit: 256 << 20)).entries
    } catch {
      logger.error("the file of resources has faults", metadata: ["error": "\(error)"])
      return
    }
    await withTaskGroup(of: Void.self) { group in
      for entry in entries where entry.isDynamic {
        guard let construction = entry.construction, let command = settings.commands[construction.type] else {
          continue
        }
        group.addTask { await build(entry, construction, command) }
      }
    }
  }

  private func build(
    _ entry: PoolsConfiguration.Entry, _ construction: LifeCycle.Construction, _ command: String
  ) async {
    let resource: PooledResource
    do {
      resource = try await client.acquire(
        type: entry.type, from: ResourceState.dirty, to: ResourceState.cleaning)
    } catch {
      let isNothing = [PoolsClientError.notFound, .typeNotFound].contains { $0 == error as? PoolsClientError }
      if !isNothing { logger.warning("acquiring failed", metadata: ["type": "\(entry.type)", "error": "\(error)"]) }
      return
    }
    let held = Held([resource])
    var isBuilt = false
    do {
      try await withBeats(held) {
        try await recycle(resource)
        let leased = try await fulfil(entry.needs, held)
        let data = try await construct(resource, leased, construction, command)
        try await client.update(resource.name, state: ResourceState.cleaning, userData: data)
      }
      isBuilt = true
    } catch {
      logger.error("building failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
    }
    let succeeded = isBuilt
    // Also when this task is cancelled: in a task of its own.
    await surroundings.task { await handBack(resource, held.all, isBuilt: succeeded) }.value
  }

  /// What it is built from is marked by its name; what was not built is all dirty.
  private func handBack(_ resource: PooledResource, _ all: [PooledResource], isBuilt: Bool) async {
    for one in all.reversed() {
      let state = one.name == resource.name ? ResourceState.free : resource.name
      do {
        try await client.release(one.name, to: isBuilt ? state : ResourceState.dirty)
      } catch {
        logger.error("handing back failed", metadata: ["name": "\(one.name)", "error": "\(error)"])
      }
    }
  }

  /// Hands back what it was built from before.
  private func recycle(_ resource: PooledResource) async throws {
    guard let names = LeasedResources.names(resource.userData) else { return }
    if !names.isEmpty {
      let leased = try await client.acquire(names: names, from: resource.name, to: ResourceState.leased)
      for one in leased { try await client.release(one.name, to: ResourceState.dirty) }
    }
    try await client.update(
      resource.name, state: ResourceState.cleaning, userData: [LeasedResources.key: ""])
  }

  private func fulfil(_ needs: [String: Int], _ held: Held) async throws -> [String: [PooledResource]] {
    var leased: [String: [PooledResource]] = [:]
    for (type, count) in needs.sorted(by: { $0.key < $1.key }) {
      for _ in 0..<max(0, count) {
        let one = try await client.acquireWaiting(
          type: type, from: ResourceState.free, to: ResourceState.leased)
        held.add(one)
        leased[type, default: []].append(one)
      }
    }
    return leased
  }

  private func construct(
    _ resource: PooledResource, _ leased: [String: [PooledResource]], _ construction: LifeCycle.Construction,
    _ program: String
  ) async throws -> [String: String] {
    let names = leased.sorted { $0.key < $1.key }.flatMap { $0.value.map(\.name) }
    try await client.update(
      resource.name, state: ResourceState.cleaning, userData: [LeasedResources.key: LeasedResources.text(names)])
    let needed = try leased.sorted { $0.key < $1.key }.map { type, all in
      (type, Value.array(try all.map { try JSON.parse($0.json) }))
    }
    var command = Command([program])
    command.input = JSON.bytes([
      "resource": try JSON.parse(resource.json), "leased": .object(ValueObject(needed)),
      "config": ["type": .string(construction.type), "content": .string(construction.content)],
    ])
    command.timeout = settings.timeout
    let result = try await command.run()
    guard var data = try UserDataBody.parse(result.output) else { return [:] }
    data[LeasedResources.key] = nil
    return data
  }

  /// Work during which the server is told again and again what is held. It ends when something of that is lost.
  private func withBeats(_ held: Held, _ work: @escaping @Sendable () async throws -> Void) async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      group.addTask {
        try await work()
        return true
      }
      group.addTask {
        while true {
          try await surroundings.sleep(settings.heartbeat)
          for one in held.all { try await client.update(one.name, state: one.state) }
        }
      }
      defer { group.cancelAll() }
      _ = try await group.next()
    }
  }
}
