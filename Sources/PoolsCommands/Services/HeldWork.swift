import Logging
import Pools
import PoolsClient
import PoolsProtocol
import Surroundings

/// What janitors and masons have in common: work on what they hold. The server hears of it again and again while it
/// lasts, the work ends when something of it is lost, how it ended is told, and all is handed back at its end, whatever
/// that is.
struct HeldWork: Sendable {
  let access: any PoolsAccess
  let worker: any PoolWorker
  let logger: Logger
  let failures: WorkFailures
  private let holders: LocalHolders?

  /// - Parameter holders: in whose names lasting work is done; nil does all work in the name of `access`.
  init(access: any PoolsAccess, holders: LocalHolders?, worker: any PoolWorker, logger: Logger) {
    self.init(access: access, holders: holders, worker: worker, logger: logger, failures: WorkFailures())
  }

  private init(
    access: any PoolsAccess, holders: LocalHolders?, worker: any PoolWorker, logger: Logger, failures: WorkFailures
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
  func note(_ obstacle: String?, _ type: String, _ lasting: any LastingWorker) async {
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
}
