import Logging
import Pools
import PoolsClient
import PoolsProtocol
import Surroundings
import Synchronization

/// What is held, while it becomes more.
final class Held: Sendable {
  private let resources: Mutex<[PooledResource]>
  init(_ resources: [PooledResource]) { self.resources = Mutex(resources) }
  var all: [PooledResource] { resources.withLock { $0 } }
  func add(_ resource: PooledResource) { resources.withLock { $0.append(resource) } }
}

/// What janitors and masons have in common: work on what they hold. The server hears of it again and again while it
/// lasts, the work ends when something of it is lost, how it ended is told, and all is handed back at its end, whatever
/// that is.
struct HeldWork: Sendable {
  let access: any PoolsAccess
  let worker: any PoolWorker
  let logger: Logger
  private let failures: Failures
  private let holders: LocalHolders?

  /// - Parameter holders: in whose names lasting work is done; nil does all work in the name of `access`.
  init(access: any PoolsAccess, holders: LocalHolders?, worker: any PoolWorker, logger: Logger) {
    self.init(access: access, holders: holders, worker: worker, logger: logger, failures: Failures())
  }

  private init(
    access: any PoolsAccess, holders: LocalHolders?, worker: any PoolWorker, logger: Logger, failures: Failures
  ) {
    self.access = access
    self.holders = holders
    self.worker = worker
    self.logger = logger
    self.failures = failures
  }

  /// Work that goes on without us; nil when the worker does none.
  var lasting: (any LastingWorker)? { worker as? any LastingWorker }

  /// The same in the name of the resource's holder.
  func holding(_ resource: PooledResource) -> HeldWork {
    guard let holders else { return self }
    return HeldWork(
      access: holders.named(resource.owner), holders: holders, worker: worker, logger: logger, failures: failures)
  }

  /// Whether it is for us to work on a type; says once of each that it is not.
  func serves(_ type: String, _ program: ServiceProgram) -> Bool {
    if worker.serves(program) { return true }
    if lasting == nil, failures.isLeftNewly(type) {
      logger.notice(
        "left alone: an errand does it, in the server that has the director", metadata: ["type": "\(type)"])
    }
    return false
  }

  /// How often the server hears of what is held, where the program does not say it: often enough for those who take back
  /// what is silent for too long.
  func heartbeat(_ usual: Duration, _ expiries: [Duration?]) -> Duration {
    guard lasting != nil else { return usual }
    return expiries.compactMap { $0 }.reduce(usual) { min($0, max($1 / 4, .milliseconds(100))) }
  }

  /// Takes something dirty of a type, in a name of its own where work lasts; nil when there is none now, or when it could
  /// not be worked on.
  func take(_ type: String, _ program: ServiceProgram?) async -> PooledResource? {
    guard let program else { return nil }
    do {
      if let lasting {
        guard let metric = try? await access.metric(type), metric.current[ResourceState.dirty] != nil else {
          return nil
        }
        let obstacle = await lasting.obstacle(to: program)
        if Task.isCancelled { return nil }
        await note(obstacle, type, lasting)
        if obstacle != nil { return nil }
      }
      let holder: any PoolsAccess = holders?.next() ?? access
      return try await holder.acquireIfAny(type: type, from: ResourceState.dirty, to: ResourceState.cleaning)
    } catch {
      logger.warning("acquiring failed", metadata: ["type": "\(type)", "error": "\(error)"])
      return nil
    }
  }

  /// Says that work on a type cannot be begun, or can again; each once.
  private func note(_ obstacle: String?, _ type: String, _ lasting: any LastingWorker) async {
    guard failures.isNew(obstacle, of: type) else { return }
    if let obstacle {
      logger.error(
        "what is dirty stays so for now: its errand cannot be run",
        metadata: ["type": "\(type)", "reason": "\(obstacle)"])
    } else {
      logger.notice("its errand can be run now", metadata: ["type": "\(type)"])
    }
    await lasting.tell(obstacle: obstacle, type: type)
  }

  /// What an earlier server has left held; work that was begun for leases which are over is ended meanwhile.
  func left(in group: inout DiscardingTaskGroup) async -> [[PooledResource]] {
    guard let lasting, let holders else { return [] }
    let held = await holders.held()
    for lease in await lasting.leases(prefix: holders.prefix).subtracting(held.keys).sorted() {
      group.addTask { await lasting.abandon(lease) }
    }
    return held.sorted { $0.key < $1.key }.map(\.value)
  }

  /// Ends work whose lease is over.
  ///
  /// - Returns: false when the server stops meanwhile, and leaves the rest to the next one.
  func abandon(_ lease: String) async -> Bool {
    await lasting?.abandon(lease)
    return !isLeft
  }

  /// Whether what is held is to be left so: the server stops, and the next one goes on.
  var isLeft: Bool { lasting != nil && Task.isCancelled }

  /// Work during which the server is told again and again what is held. It is cancelled when something of that is lost.
  ///
  /// - Throws: what the work throws; ``PoolsClientError/leaseLost(name:_:)`` when something was lost.
  func beating<Result: Sendable>(
    _ held: Held, every interval: Duration, _ work: @escaping @Sendable () async throws -> Result
  ) async throws -> Result {
    try await withThrowingTaskGroup(of: Result?.self) { group in
      group.addTask { try await work() }
      group.addTask {
        while !Task.isCancelled {
          do { try await access.surroundings.sleep(interval) } catch { return nil }
          for one in held.all { try await beat(one) }
        }
        return nil
      }
      defer { group.cancelAll() }
      while let result = try await group.next() { if let result { return result } }
      throw CancellationError()
    }
  }

  /// A server that cannot be reached ends nothing: only its word does.
  private func beat(_ resource: PooledResource) async throws {
    do {
      try await access.update(resource)
    } catch let error as PoolsClientError {
      if let loss = error.loss(of: resource) { throw loss }
      logger.warning("a heartbeat failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
    }
  }

  /// Has work done, and tells how it ended.
  ///
  /// - Parameter take: takes what came of it, when it succeeded; what cannot be taken has failed.
  /// - Returns: nil when it was cancelled, for then it has not ended by itself, and when it could not be begun.
  func perform(
    _ work: PoolWork, taking take: (PoolWorkResult) async throws -> Void = { _ in }
  ) async -> PoolWorkResult? {
    let begin = access.surroundings.elapsed()
    var result: PoolWorkResult
    do {
      result = try await worker.perform(work)
    } catch {
      if Task.isCancelled { return nil }
      if let obstacle = error as? PoolWorkObstacle {
        if let lasting { await note("\(obstacle)", work.resource.type, lasting) }
        return nil
      }
      result = PoolWorkResult(succeeded: false, ending: "\(error)", log: "")
    }
    if result.succeeded {
      do {
        try await take(result)
      } catch {
        if Task.isCancelled { return nil }
        result.succeeded = false
        result.ending = "what it made cannot be kept: \(error)"
      }
    }
    let (kind, name): (WorkReport.Kind, String) =
      switch work.kind {
      case .clean: (.clean, "cleaning")
      case .build: (.build, "building")
      }
    let report = WorkReport(
      name: work.resource.name, type: work.resource.type, kind: kind, succeeded: result.succeeded,
      ending: result.ending, duration: access.surroundings.elapsed() - begin, log: result.log,
      run: lasting == nil ? "" : work.lease)
    let told: Int?
    do {
      told = try await access.report(report)
    } catch {
      told = nil
      logger.debug("telling how it ended failed", metadata: ["name": "\(report.name)", "error": "\(error)"])
    }
    failures.count(work.resource, failed: !result.succeeded, told: told)
    if result.succeeded {
      logger.info("\(name) succeeded", metadata: ["type": "\(report.type)", "name": "\(report.name)"])
    } else {
      logger.error(
        "\(name) failed",
        metadata: [
          // What it said may hold secrets, and is with the resource.
          "type": "\(report.type)", "name": "\(report.name)", "ending": "\(result.ending)",
        ])
    }
    return result
  }

  /// Where to a resource goes whose work has failed: dirty, or aside when it failed too often.
  func destination(afterFailure resource: PooledResource, _ program: ServiceProgram) -> String {
    let count = failures[resource]
    guard let limit = program.quarantineAfter, count >= limit else { return ResourceState.dirty }
    failures.forget(resource)
    logger.error(
      "put aside: it failed too often",
      metadata: ["type": "\(resource.type)", "name": "\(resource.name)", "times": "\(count)"])
    return program.quarantineState ?? "quarantine"
  }

  /// Hands back, also when this task is cancelled: in a task of its own. What goes wrong is only said; what lasting work
  /// was done to is handed back again and again until the server takes it, or says that somebody else holds it.
  func handBack(_ destinations: [(PooledResource, String)]) async {
    var rest = destinations
    var pause = Duration.milliseconds(500)
    while true {
      let now = rest
      rest = await access.surroundings.task { await releaseOnce(now) }.value
      guard let lasting, let lease = destinations.first?.0.owner else { return }
      if rest.isEmpty { return await lasting.forget(lease) }
      // The next server does it.
      do { try await access.surroundings.sleep(pause) } catch { return }
      pause = min(pause * 2, .seconds(30))
    }
  }

  /// - Returns: what is still held.
  private func releaseOnce(_ destinations: [(PooledResource, String)]) async -> [(PooledResource, String)] {
    var rest: [(PooledResource, String)] = []
    for (resource, state) in destinations {
      do {
        try await access.release(resource, to: state)
      } catch {
        logger.error("handing back failed", metadata: ["name": "\(resource.name)", "error": "\(error)"])
        if (error as? PoolsClientError)?.isRefusal != true { rest.append((resource, state)) }
      }
    }
    return rest
  }
}

/// How often work on resources has failed, one time after the other, and what has been said of types.
private final class Failures: Sendable {
  /// More are not remembered.
  private static let most = 100_000
  private let counts = Mutex([String: Int]())
  /// Why types cannot be worked on.
  private let obstacles = Mutex([String: String]())
  /// Types that are left to others.
  private let left = Mutex(Set<String>())

  private static func key(_ resource: PooledResource) -> String { "\(resource.name)/\(resource.type)" }

  subscript(resource: PooledResource) -> Int { counts.withLock { $0[Self.key(resource)] ?? 0 } }

  /// - Parameter told: what the server has counted.
  func count(_ resource: PooledResource, failed: Bool, told: Int?) {
    let key = Self.key(resource)
    counts.withLock { counts in
      guard failed else {
        counts[key] = nil
        return
      }
      if counts.count > Self.most { counts = [:] }
      counts[key] = max((counts[key] ?? 0) + 1, told ?? 0)
    }
  }

  /// Whether that has not been said of the type yet.
  func isNew(_ obstacle: String?, of type: String) -> Bool {
    obstacles.withLock { obstacles in
      guard obstacles[type] != obstacle else { return false }
      obstacles[type] = obstacle
      return true
    }
  }

  func isLeftNewly(_ type: String) -> Bool { left.withLock { $0.insert(type).inserted } }

  func forget(_ resource: PooledResource) { counts.withLock { $0[Self.key(resource)] = nil } }
}
